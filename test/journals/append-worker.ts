/** A process of its own that appends to a journal: `append-worker.ts DIRECTORY HOSTS ENTRIES`. Tells each end of an append on a line. */
import { failureOf } from '../../src/core/failure.js';
import { openFileJournal } from '../../src/journals/index.js';
import { entry } from '../contracts/journal.contract.js';

const [directory = '', hosts = '1', entries = '1'] = process.argv.slice(2);
const journal = await openFileJournal(directory);
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
process.stdin.destroy();

await Promise.all(Array.from({ length: Number(hosts) }, async (_, host) => {
  for (let seq = 1; seq <= Number(entries); seq++) {
    const end = await journal.append({ ...entry(`host-${host}`, seq), by: String(process.pid) } as never).then(() => 'won', (thrown: unknown) => failureOf(thrown).kind);
    process.stdout.write(`${end} host-${host} ${seq}\n`);
    // Whoever lost a place leaves the host to the other.
    if (end !== 'won') return;
  }
}));
await journal.close();
