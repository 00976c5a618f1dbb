/** A process of its own that holds a run until it is killed: `hold-worker.ts ROOT RUN`. Says `held REMARK` or the kind of its failure. */
import { failureOf } from '../../src/core/failure.js';
import { openRunFolder } from '../../src/journals/index.js';

const [root = '', run = ''] = process.argv.slice(2);
const folder = await openRunFolder(root, run);
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
await folder.hold(`worker-${process.pid}`, new Date()).then(
  (hold) => {
    process.stdout.write(`held ${hold.remark ?? ''}\n`);
    // Stays until it is killed.
    setInterval(() => undefined, 1_000_000);
  },
  (thrown: unknown) => {
    process.stdout.write(`${failureOf(thrown).kind}\n`);
    process.stdin.destroy();
  },
);
