/** Reading without a root shell: the same answers by single commands, with exactly the rules that are listed, and no answer without one of them. */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureOf, type Failure } from '../../src/core/failure.js';
import type { Transport } from '../../src/core/ports.js';
import type { Answer, Query } from '../../src/core/query.js';
import { createConnector } from '../../src/host/connector.js';
import { narrowCommands } from '../../src/host/narrow-rules.js';
import { SKIP_WITHOUT_ROOT_NODE, startRootNode, type RootNode } from './root-node.js';

const quiet = (): AbortSignal => new AbortController().signal;

describe.skipIf(SKIP_WITHOUT_ROOT_NODE)('a visit without a root shell (skipped without root, sudo and mount namespaces)', () => {
  let node: RootNode;
  let paths: Record<'open' | 'unreadable' | 'closed' | 'link' | 'missing' | 'directory' | 'odd', string>;
  let queries: Query[];
  beforeAll(async () => {
    node = await startRootNode();
    const place = (name: string): string => join(node.directory, name);
    paths = {
      open: place('open'), unreadable: place('unreadable'), closed: place('closed/inner/a file'), link: place('closed/link'), missing: place('closed/none'), directory: place('closed/inner'), odd: place('odd,=:\\#*?[a]!"\'$x`'),
    };
    mkdirSync(place('closed/inner'), { recursive: true });
    writeFileSync(paths.open, 'open\n');
    writeFileSync(paths.unreadable, Buffer.from([0, 1, 2, 255, 10, 10]));
    writeFileSync(paths.closed, 'x'.repeat(70_000));
    writeFileSync(paths.odd, 'odd');
    symlinkSync(paths.unreadable, paths.link);
    chmodSync(place('closed'), 0o700);
    for (const file of [paths.unreadable, paths.odd]) chmodSync(file, 0o600);
    queries = [...Object.values(paths).map((path): Query => ({ ask: 'file', path })), { ask: 'process', pid: process.pid }, { ask: 'process', pid: 1 }, { ask: 'process', pid: 2 ** 30 }, { ask: 'processes', exe: 'node' }];
  });
  afterAll(() => node.close());

  async function ask(scope: 'commands' | 'shell', transport: Transport = node.transport): Promise<Answer[]> {
    const session = await createConnector(transport).openToRead(node.host('sudo', scope === 'commands' ? { scope } : {}), quiet());
    try {
      return await session.ask(queries);
    } finally {
      await session.close();
    }
  }
  const rules = (): string[] => narrowCommands(Object.values(paths)).map((command) => `deploy ALL=(root) NOPASSWD: ${command}`);
  /** What may differ between two visits: the directories between belong to the login's own view. */
  const comparable = (answers: readonly Answer[]): unknown => answers.map((answer) => (answer.ok && answer.ask === 'processes' ? answer.value.pids.includes(process.pid) : answer));

  it.each(['/bin/sh', 'bash --posix', 'busybox sh'])('gets the answers of a root shell, by exactly the rules that are listed (%s)', async (shell) => {
    node.allow({ sudoers: 'deploy ALL=(root) NOPASSWD: /bin/sh -s' });
    const whole = await ask('shell');
    expect(whole.every((answer) => answer.ok)).toBe(true);
    node.allow({ sudoers: rules().join('\n') });
    const inShell: Transport = { open: (host, command, ...rest) => node.transport.open(host, command.replace('exec /bin/sh -s', `exec ${shell} -s`), ...rest) };
    expect(comparable(await ask('commands', inShell))).toEqual(comparable(whole));
  });

  it('is refused when one of its rules is missing, with that line', async () => {
    const all = rules();
    const needed = ['/bin/readlink /proc/[0-9]*/exe', '/bin/readlink /proc/[0-9]*/ns', '/usr/bin/find', `/bin/cat -- ${paths.unreadable}`, ...['/usr/bin/stat -L -c %s %f %u %g %h %i %.9Y', '/bin/readlink -n -f', '/bin/cat'].map((command) => `${command} -- ${paths.closed}`)];
    for (const one of needed) {
      const [line, ...others] = all.filter((rule) => rule.includes(one));
      expect(others).toEqual([]);
      node.allow({ sudoers: all.filter((rule) => rule !== line).join('\n') });
      const failure = await ask('commands').then((): Failure | undefined => undefined, failureOf);
      expect(failure).toMatchObject({ kind: 'rootRefused', next: expect.stringContaining(`${line} (`) as string });
    }
  });

  it('can read nothing else by those rules', async () => {
    node.allow({ sudoers: rules().join('\n') });
    const session = await createConnector(node.transport).openToRead(node.host('sudo', { scope: 'commands' }), quiet());
    const failure = await session.ask([{ ask: 'file', path: '/etc/shadow' }]).then(() => undefined, failureOf);
    await session.close();
    expect(failure).toMatchObject({ kind: 'rootRefused', next: expect.stringContaining('deploy ALL=(root) NOPASSWD: /bin/cat -- /etc/shadow (') as string });
  });

  it('never opens to write, and says why and what it would take', async () => {
    let opened = 0;
    const counting: Transport = { open: (...args) => ((opened += 1), node.transport.open(...args)) };
    const failure = await createConnector(counting).openToWrite(node.host('sudo', { scope: 'commands' }), quiet()).then(() => undefined, failureOf);
    expect([failure?.kind, opened]).toEqual(['rootRefused', 0]);
    expect(failure?.next).toContain('deploy ALL=(root) NOPASSWD: /bin/sh -s');
  });

  it('lists each command of its shell text', () => {
    const text = readFileSync(new URL('../../src/host/shell/narrow.sh', import.meta.url), 'utf8');
    const used = new Set([...text.matchAll(/(?:sudo -n --|fm_as_root|fm_blame) (\/[a-z/]+)/g)].map((match) => match[1]));
    const listed = new Set(narrowCommands(['/x']).map((command) => command.split(' ')[0]));
    expect(used).toEqual(listed);
  });
});
