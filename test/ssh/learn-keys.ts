/** A process of its own that learns the keys of a list: `learn-keys.ts KNOWN_HOSTS LIST`. */
import { readFileSync } from 'node:fs';
import { createHostKeyStore } from '../../src/ssh/known-hosts-file.js';
import { lookupNameOf } from '../../src/ssh/known-hosts.js';

const [file = '', list = ''] = process.argv.slice(2);
const store = createHostKeyStore([file]);
const lines = readFileSync(list, 'utf8').trim().split('\n');
await Promise.all(lines.map((line) => {
  const [name = '', , key = ''] = line.split(' ');
  return store.learn(lookupNameOf(name, 22), Buffer.from(key, 'base64'));
}));
