/** `npm run fuzz [-- RUNS [SEED [NAME]]]`: every target for RUNS inputs, with figures. Ends with 1 at the first broken promise. */
import { countBlocks } from './coverage.js';
import { explore } from './explore.js';
import { TARGETS } from './targets.js';

const [runs = '100000', seed = String(Date.now() % 1_000_000), name = ''] = process.argv.slice(2);
let tried = 0;
for (const target of TARGETS.filter((one) => one.name.includes(name))) {
  const counter = countBlocks((url) => target.sources.some((part) => url.includes(part)));
  const beganMs = performance.now();
  const found = explore(target, Number(runs), Number(seed), counter);
  tried += found.tried;
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(0);
  process.stdout.write(`${target.name}: ${found.tried} inputs, ${found.accepted} accepted, ${found.blocks} blocks, ${found.kept} kept, 0 broken, ${seconds} s\n`);
}
process.stdout.write(`${tried} inputs of seed ${seed}, 0 broken\n`);
