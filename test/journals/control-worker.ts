/** A process of its own that asks a run for a pause and waits for the answer: `control-worker.ts RUNFOLDER`. Says `asking`, then what came back. */
import { requestControl } from '../../src/journals/index.js';

const [directory = ''] = process.argv.slice(2);
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
const reply = requestControl(directory, `worker-${process.pid}`, { do: 'pause' }, new Date(), { withinMs: 60_000 });
process.stdout.write('asking\n');
process.stdout.write(`${JSON.stringify(await reply)}\n`);
process.stdin.destroy();
