/** The real `ssh` program through real jump hosts: which host keys it trusts on the way, and which key it shows. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { Host } from '../../src/core/host.js';
import type { ShellStream } from '../../src/core/ports.js';
import { quoteWord } from '../../src/openssh/jump-command.js';
import type { OpenSshOptions } from '../../src/openssh/options.js';
import { createOpenSshTransport } from '../../src/openssh/transport.js';
import { createScratch, failureIn, makeKey, readAll } from '../ssh/scratch.js';
import type { Scratch, TestKey } from '../ssh/scratch.js';
import { startSshd, SKIP_WITHOUT_SSHD, SSHD_SKIP_REASON } from '../ssh/sshd.js';
import type { Sshd } from '../ssh/sshd.js';

const signal = new AbortController().signal;

it('a quoted word reaches a program unchanged through the shell', () => {
  const words = fc.sample(fc.string({ unit: fc.constantFrom(...`a b'"\\$\`!*?#~%&;|<>(){}[]\n\t=é`) }), { numRuns: 300, seed: 1 });
  const ran = spawnSync('/bin/sh', ['-c', `printf '%s\\0' ${words.map(quoteWord).join(' ')}`], { encoding: 'utf8' });
  expect(ran.stdout.split('\0').slice(0, -1)).toEqual(words);
});

describe.skipIf(SKIP_WITHOUT_SSHD)(`jump hosts of the inventory (skipped when ${SSHD_SKIP_REASON})`, () => {
  let scratch: Scratch;
  let servers: { readonly gate: Sshd; readonly inner: Sshd; readonly target: Sshd };
  let innerKey: string;
  let gateKey: string;
  let targetKey: string;
  beforeAll(async () => {
    scratch = createScratch();
    const settings = ['KexAlgorithms curve25519-sha256'];
    servers = { gate: await startSshd(scratch, { settings }), inner: await startSshd(scratch, { settings }), target: await startSshd(scratch, { settings, first: ['LogLevel INFO'] }) };
    // Names that every reader on the way would take for something of its own.
    mkdirSync(scratch.path(`odd 'n" \\ #%h $x`));
    const write = (name: string, key: TestKey): string => scratch.write(`odd 'n" \\ #%h $x/${name}`, key.privateText);
    gateKey = write('gate', servers.gate.userKey);
    innerKey = write('inner', servers.inner.userKey);
    targetKey = write('target', servers.target.userKey);
  });
  afterAll(async () => {
    await Promise.all(Object.values(servers).map((server) => server.close()));
    scratch.remove();
  });

  const lineOf = ({ port, hostKeys }: Sshd, key = hostKeys[0]): string => `[127.0.0.1]:${port} ${key?.publicText}\n`;
  const jumpTo = ({ host, port }: Sshd): string => `${host.user}@127.0.0.1:${port}`;
  const known = (...lines: string[]): string => scratch.write(`odd 'n" \\ #%h $x/known`, lines.join(''));
  const through = (...[first, second]: readonly { readonly server: Sshd; readonly key: string; readonly name: string }[]): Host => {
    const all = [first, second].flatMap((hop) => (hop ? [hop] : []));
    return {
      ...servers.target.host, identityFile: targetKey,
      ssh: { config: 'none', proxyJump: all.map(({ server }) => jumpTo(server)), jumpHosts: all.map(({ server, key, name }) => ({ jump: jumpTo(server), name, identityFile: key, ssh: { config: 'none' } })) },
    };
  };
  const gate = (): { server: Sshd; key: string; name: string } => ({ server: servers.gate, key: gateKey, name: 'gate' });
  const inner = (): { server: Sshd; key: string; name: string } => ({ server: servers.inner, key: innerKey, name: 'inner' });
  const open = (host: Host, options: Partial<OpenSshOptions> = {}): Promise<ShellStream> =>
    createOpenSshTransport({ environment: process.env, closeGraceMs: 500, ...options }).open(host, 'echo out; echo err >&2; exit 9', signal);
  const outcome = async (shell: ShellStream): Promise<unknown> => {
    const [out, error, end] = await Promise.all([readAll(shell.stdout), readAll(shell.stderr), shell.ended]);
    return [out.toString(), error.toString(), end];
  };
  const WELL = ['out\n', 'err\n', { how: 'exit', code: 9 }];

  it('two jump hosts in a row, each with a key of its own and a host key of --known-hosts', async () => {
    const files = [known(lineOf(servers.gate), lineOf(servers.inner), lineOf(servers.target))];
    expect(await outcome(await open(through(gate(), inner()), { knownHostsFiles: files }))).toEqual(WELL);
    await Promise.all([servers.gate.logged('direct-tcpip'), servers.inner.logged('direct-tcpip')]);
  });

  it('a jump host that is not known is not logged in to, and named, although the host behind it is', async () => {
    const files = [known(lineOf(servers.gate), lineOf(servers.target))];
    const before = servers.inner.log().match(/Accepted publickey/g)?.length;
    expect(await failureIn(open(through(gate(), inner()), { knownHostsFiles: files }))).toMatchObject({ kind: 'hostKeyUnknown', summary: expect.stringContaining('jump host inner') as string });
    expect(servers.inner.log().match(/Accepted publickey/g)?.length).toBe(before);
  });

  it('StrictHostKeyChecking no in ssh_config is not obeyed for a jump host of the inventory', async () => {
    const file = scratch.write('careless', 'Host *\n  StrictHostKeyChecking no\n');
    const host: Host = { ...servers.target.host, identityFile: targetKey, ssh: { config: { file }, proxyJump: [jumpTo(servers.gate)] } };
    expect((await failureIn(open(host, { knownHostsFiles: [known(lineOf(servers.target))] }))).kind).toBe('hostKeyUnknown');
  });

  it('new keys of jump hosts are recorded where a person says so, and nothing of it is said to the command', async () => {
    const file = known();
    expect(await outcome(await open(through(gate(), inner()), { knownHostsFiles: [file], hostKeys: 'acceptNew' }))).toEqual(WELL);
    expect(readFileSync(file, 'utf8').trim().split('\n').sort()).toEqual([servers.gate, servers.inner, servers.target].map((server) => lineOf(server).trim()).sort());
  });

  it('a changed key of a jump host is refused in both modes', async () => {
    for (const hostKeys of ['strict', 'acceptNew'] as const) {
      const files = [known(lineOf(servers.gate, makeKey()), lineOf(servers.target))];
      expect(await failureIn(open(through(gate()), { knownHostsFiles: files, hostKeys }))).toMatchObject({ kind: 'hostKeyChanged', summary: expect.stringContaining('jump host gate') as string });
    }
  });

  it('a jump host that refuses the login is told as that, no reason to try again, and not asked for the next host', async () => {
    const files = [known(lineOf(servers.gate), lineOf(servers.target))];
    const stranger = scratch.write('stranger', makeKey().privateText);
    const transport = createOpenSshTransport({ environment: process.env, knownHostsFiles: files });
    const host = through({ ...gate(), key: stranger });
    const connections = (): number => servers.gate.log().match(/Connection from /g)?.length ?? 0;
    const before = connections();
    const failure = await failureIn(transport.open(host, 'true', signal));
    expect(failure).toMatchObject({ kind: 'authentication', summary: expect.stringContaining('jump host gate') as string });
    expect(await failureIn(transport.open({ ...host, name: 'node-2' }, 'true', signal))).toBe(failure);
    expect(connections()).toBe(before + 1);
    // Another key is another question.
    await outcome(await transport.open(through(gate()), 'true', signal));
  });
});
