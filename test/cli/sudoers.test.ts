/** `fleetmend sudoers`: what it prints is a file that sudo takes, says what each rule means, and is never guessed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './run-command-line.js';

const PLAYBOOK = new URL('../../playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml', import.meta.url).pathname;
const INVENTORY = `
defaults: { user: deploy, become: sudo }
groups:
  workers:
    hosts:
      - 'node-[1:8]'
      - { name: asks, become: { method: sudo, password: prompt } }
      - { name: terminal, become: { method: sudo, tty: true } }
      - { name: bsd, become: doas }
      - { name: old, become: su }
      - { name: plain, user: root, become: none }
      - { name: careful, become: { method: sudo, scope: commands } }
`;

describe('fleetmend sudoers', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fleetmend-sudoers-'));
    writeFileSync(join(folder, 'inventory.yaml'), INVENTORY);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const print = async (...words: string[]): Promise<string> => {
    const ended = await run('sudoers', PLAYBOOK, ...words);
    expect(ended).toMatchObject({ code: 0, err: '' });
    return ended.out;
  };
  const rulesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const isTaken = (text: string): void => {
    const file = join(folder, 'rules');
    writeFileSync(file, text, { mode: 0o440, flag: 'w' });
    const { status, stdout, stderr, error } = spawnSync('visudo', ['-c', '-f', file], { encoding: 'utf8' });
    if (error === undefined) expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('parsed OK')]);
    rmSync(file);
  };

  it('prints one rule for the root shell, and says what it means', async () => {
    const text = await print('--user', 'deploy');
    expect(rulesOf(text)).toEqual(['deploy ALL=(root) NOPASSWD: /bin/sh -s']);
    expect(text).toContain('whoever may write that is root');
    isTaken(text);
  });

  it('prints single commands that only read where no root shell is wanted', async () => {
    const text = await print('--user', 'deploy', '--scope', 'commands', '--file', '/srv/odd, name:=\\*');
    const rules = rulesOf(text);
    expect(rules.length).toBeGreaterThan(10);
    for (const rule of rules) expect(rule).toMatch(/^deploy ALL=\(root\) NOPASSWD: (\/bin\/(cat|readlink)|\/usr\/bin\/(stat|find)) /);
    expect(rules.filter((rule) => rule.endsWith('/var/lib/kubelet/config.yaml'))).toHaveLength(3);
    expect(rules.filter((rule) => rule.endsWith('/srv/odd\\, name\\:\\=\\\\\\\\\\*'))).toHaveLength(3);
    isTaken(text);
  });

  it('prints what each login of an inventory takes, once', async () => {
    const text = await print('-i', join(folder, 'inventory.yaml'));
    expect(rulesOf(text).slice(0, 3)).toEqual([
      'deploy ALL=(root) NOPASSWD: /bin/sh -s',
      'deploy ALL=(root) /bin/sh -c echo fm-root; exec /bin/sh -s',
      'deploy ALL=(root) NOPASSWD: /bin/sh -c stty raw -echo; echo fm-root; exec /bin/sh +i -s 2>/dev/null',
    ]);
    expect(rulesOf(text).slice(3).every((rule) => !rule.includes('/bin/sh'))).toBe(true);
    for (const words of ['# On node-1, node-2, node-3, node-4, node-5 and 3 more.', '# permit nopass deploy as root cmd /bin/sh args -s', 'by su, which takes root\'s password and no rule', '# root logs in with the rights that it needs']) expect(text).toContain(words);
    isTaken(text);
    expect(rulesOf(await print('-i', join(folder, 'inventory.yaml'), '--limit', 'asks'))).toHaveLength(1);
  });

  it.each([
    [[], 'say who logs in'], [['--user', '%wheel'], 'expected the name of a user'], [['--user', 'a b'], 'expected the name of a user'],
    [['--user', 'a', '--file', 'relative'], 'expected an absolute path'],
  ])('refuses %j', async (words, why) => {
    const ended = await run('sudoers', PLAYBOOK, ...words);
    expect([ended.code, ended.out]).toEqual([1, '']);
    expect(ended.err).toContain(why);
  });
});
