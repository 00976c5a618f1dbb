/** A process that is busy for a while and then asks, for a real pseudo terminal. */
import { setTimeout as sleep } from 'node:timers/promises';
import { confirm } from '../../src/cli/confirm.js';

process.stdout.write('BUSY\n');
await sleep(Number(process.argv[2] ?? '0'));
process.stdout.write(`\nANSWER ${await confirm('Change 3 hosts?', new AbortController().signal)}\n`);
