/** Agreement with the system's own ssh: every configuration of cases/ is given to `ssh -G` and to src/ssh-config. */
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askOurs, askSsh, differences, parseQuestion, readDefaults } from './ssh-oracle.js';
import type { SshDefaults } from './ssh-oracle.js';

const CASES = new URL('cases/', import.meta.url).pathname;
/** `# ask: a b root@c:2222` */
const ASK = /^# ask: (.*)$/m;

let directory = '';
let defaults: SshDefaults;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'fleetmend-ssh-config-'));
  cpSync(CASES, directory, { recursive: true });
  // Includes of the cases name their directory so.
  for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(conf|inc)$/.test(name))) {
    writeFileSync(join(directory, file), readFileSync(join(directory, file), 'latin1').replaceAll('@DIR@', directory), { encoding: 'latin1', mode: 0o600 });
  }
  defaults = await readDefaults();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const files = readdirSync(CASES).filter((name) => name.endsWith('.conf')).sort();

describe('a configuration means to fleetmend what it means to ssh', () => {
  it('has at least 80 configurations', () => {
    expect(files.length).toBeGreaterThanOrEqual(80);
  });
  it.concurrent.each(files)('%s', async (file) => {
    const questions = (ASK.exec(readFileSync(join(CASES, file), 'latin1'))?.[1] ?? 'node-1').split(' ').map(parseQuestion);
    for (const question of questions) {
      const path = join(directory, file);
      const [ssh, ours] = await Promise.all([askSsh(['-F', path], question), askOurs({ ...question, files: { home: userInfo().homedir, file: path } }, defaults)]);
      expect(differences(ssh, ours), `${file} for ${JSON.stringify(question)}`).toEqual([]);
      // The names of the cases say what they are about: a case that passes because both refuse it must say so.
      expect('refused' in ssh, `${file}: named as refused`).toBe(file.startsWith('refused-'));
    }
  });
});
