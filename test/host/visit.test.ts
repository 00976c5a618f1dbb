/** How a visit starts, ends and fails, with real shells on this machine. Needs no root. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Host } from '../../src/core/host.js';
import type { ShellStream, Transport } from '../../src/core/ports.js';
import type { Answer } from '../../src/core/query.js';
import { createConnector, type ConnectorOptions } from '../../src/host/connector.js';
import { LOCAL_HOST } from './local-node.js';
import { createLocalTransport, type LocalTransportOptions } from './local-transport.js';

const quiet = (): AbortSignal => new AbortController().signal;

async function askOver(transport: Partial<LocalTransportOptions>, options: ConnectorOptions = {}, host: Host = LOCAL_HOST, times = 1): Promise<Answer[]> {
  const connector = createConnector(createLocalTransport({ shell: 'dash', loginShell: 'dash', ...transport }), options);
  const session = await connector.openToRead(host, quiet());
  try {
    let answers: Answer[] = [];
    for (let time = 0; time < times; time += 1) answers = await session.ask([{ ask: 'capability' }, { ask: 'file', path: '/proc/self' }]);
    return answers;
  } finally {
    await session.close();
  }
}

const failsWith = (kind: string, more: object = {}): unknown => expect.objectContaining({ failure: expect.objectContaining({ kind, ...more }) as unknown });
const containing = (text: string): unknown => expect.stringContaining(text);
const ANSWERED = [{ ok: true, ask: 'capability' }, { ok: true, ask: 'file', value: { kind: 'directory' } }];

describe('start', () => {
  it.each([
    ['prints a banner', 'echo Welcome; echo "no newline at the end" | tr -d "\\n"; echo trouble >&2'],
    ['reads its input for a while', 'read -r -t 0.05 line || :'],
    ['prints binary', "printf '\\000\\377\\033[31m'"],
    ['sets traps and options that would hurt', "trap 'echo bye' EXIT; set -f; set -o noclobber; IFS=x; unset PATH; export PATH=/usr/bin:/bin LC_ALL=de_DE.UTF-8"],
  ])('answers although the rc file %s', async (_name, rc) => {
    expect(await askOver({ rc, loginShell: 'bash' })).toMatchObject(ANSWERED);
  });

  it('answers although something of the rc file prints in between', async () => {
    const rc = 'for n in 1 2 3 4 5 6 7 8 9 10; do echo "noise $n"; sleep 0.01; done &';
    // Noise may land inside an answer; then the visit must fail loudly instead of giving a wrong answer.
    const answers = await askOver({ rc }, {}, LOCAL_HOST, 5).catch((error: unknown) => error);
    if (answers instanceof Error) expect(answers).toEqual(failsWith('protocol'));
    else expect(answers).toMatchObject(ANSWERED);
  });

  it.each(['bash', 'dash', 'busybox sh'])('the start command brings up %s', async (shell) => {
    expect(await askOver({ shell })).toMatchObject(ANSWERED);
  });

  it('says noShell, with what was printed made harmless, when the login shell refuses', async () => {
    const error = await askOver({ rc: "printf 'This account is \\033[31mnot available\\n'; exit 1" }).catch((thrown: unknown) => thrown);
    expect(error).toEqual(failsWith('noShell', { detail: 'This account is [31mnot available' }));
  });

  it('says noShell when the login shell prints without end', async () => {
    await expect(askOver({ rc: 'while :; do echo 0123456789012345678901234567890123456789; done' })).rejects.toEqual(failsWith('noShell', { summary: containing('prints without end') }));
  });

  it('says noShell when nothing comes in time', async () => {
    await expect(askOver({ rc: 'sleep 60' }, { startTimeoutMs: 50 })).rejects.toEqual(failsWith('noShell', { summary: containing('no shell within') }));
  });

  it('an rc file that reads its input cannot eat our text', async () => {
    await expect(askOver({ rc: 'read -r line' }, { startTimeoutMs: 200 })).rejects.toEqual(failsWith('noShell'));
  });

  it('names the tool that is missing', async () => {
    await expect(askOver({}, { searchPath: '/nonexistent' })).rejects.toEqual(failsWith('missingTool', { summary: containing('base64') }));
  });
});

describe('sudo', () => {
  const sudoHost: Host = { ...LOCAL_HOST, user: 'deploy', become: 'sudo' };
  let bin: string;
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), 'fleetmend-sudo-'));
  });
  afterEach(() => rmSync(bin, { recursive: true }));
  const sudo = (text: string): Partial<LocalTransportOptions> => {
    writeFileSync(join(bin, 'sudo'), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return { env: { PATH: `${bin}:/usr/bin:/bin` } };
  };

  it('runs the shell through `sudo -n --`', async () => {
    expect(await askOver(sudo('[ "$1 $2" = "-n --" ] || exit 1; shift 2; exec "$@"'), {}, sudoHost)).toMatchObject(ANSWERED);
  });

  it('says rootRefused, in its words and with the line that would allow it', async () => {
    await expect(askOver(sudo('echo "sudo: a password is required" >&2; exit 1'), {}, sudoHost)).rejects.toEqual(
      failsWith('rootRefused', { detail: 'sudo: a password is required', next: containing('deploy ALL=(root) NOPASSWD: /bin/sh -s') }),
    );
  });

  it.each([
    ['a question of its own', 'printf "Token: " >&2; sleep 60', 'go\n', 'Token:'],
    ['a second question after the password', 'printf %s "$3" >&2; read -r given; printf "\nCode for %s: " "$given" >&2; sleep 60', 'go\na password\n', 'Code for [redacted]:'],
  ])('is not answered, nor waited for longer than the deadline, when it asks %s', async (_name, script, sent, detail) => {
    let written = '';
    const onWrite = (text: string): string => ((written += text), text);
    const secrets = { read: () => Promise.resolve('a password') };
    const host: Host = { ...sudoHost, becoming: { password: { from: 'prompt' } } };
    await expect(askOver({ ...sudo(script), onWrite }, { startTimeoutMs: 300, secrets }, host)).rejects.toEqual(
      failsWith('rootRefused', { summary: containing('something else than the password'), detail }),
    );
    expect(written).toBe(sent);
  });

  it('that never says anything is out of time', async () => {
    const host: Host = { ...sudoHost, becoming: { password: { from: 'prompt' } } };
    await expect(askOver(sudo('sleep 60'), { startTimeoutMs: 50, secrets: { read: () => Promise.resolve('a password') } }, host)).rejects.toEqual(failsWith('timeout'));
  });

  it('never waits for a password prompt longer than the deadline', async () => {
    await expect(askOver(sudo('sleep 60'), { operationTimeoutMs: 50 }, sudoHost)).rejects.toEqual(failsWith('timeout'));
  });
});

describe('in between', () => {
  it('a request that was cut never runs, wherever it was cut', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'fleetmend-cut-'));
    try {
      const trace = join(scratch, 'ran');
      writeFileSync(join(scratch, 'program'), `#!/bin/sh\necho ran >>${trace}\n`, { mode: 0o755 });
      const request = (length: number) => (text: string): string => {
        const at = text.lastIndexOf('\nfm ') + 1;
        return text.slice(0, at) + text.slice(at).trimEnd().slice(0, -1 - length);
      };
      for (const length of [0, 1, 31, 32, 33, 40, 60, 80]) {
        const connector = createConnector(createLocalTransport({ shell: 'dash', loginShell: 'dash', onWrite: request(length) }), { operationTimeoutMs: 400 });
        const session = await connector.openToRead(LOCAL_HOST, quiet());
        await expect(session.ask([{ ask: 'version', exe: join(scratch, 'program') }])).rejects.toEqual(failsWith('timeout'));
        await session.close();
      }
      const whole = createConnector(createLocalTransport({ shell: 'dash', loginShell: 'dash' }));
      const session = await whole.openToRead(LOCAL_HOST, quiet());
      expect(await session.ask([{ ask: 'version', exe: join(scratch, 'program') }])).toMatchObject([{ ok: true }]);
      await session.close();
      expect(readFileSync(trace, 'utf8')).toBe('ran\n');
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });

  it('a lost connection is connectionLost, also for every question after it', async () => {
    let answers = 0;
    const transport = createLocalTransport({ shell: 'dash', loginShell: 'dash', onOutput: (text) => text.includes('fm-begin') && ++answers === 2 });
    const session = await createConnector(transport).openToRead(LOCAL_HOST, quiet());
    await session.ask([{ ask: 'capability' }]);
    await expect(session.ask([{ ask: 'capability' }])).rejects.toEqual(failsWith('connectionLost'));
    await expect(session.ask([{ ask: 'capability' }])).rejects.toEqual(failsWith('connectionLost'));
    await session.close();
  });

  it('a shell that stops answering ends in timeout', async () => {
    const transport = createLocalTransport({ shell: 'dash', loginShell: 'dash', onWrite: () => '' });
    const session = await createConnector(transport, { operationTimeoutMs: 50 }).openToRead(LOCAL_HOST, quiet());
    await expect(session.ask([{ ask: 'capability' }])).rejects.toEqual(failsWith('timeout'));
    await session.close();
  });

  it('an error that nobody foresaw in a callback fails this visit, not the process', async () => {
    const inner = createLocalTransport({ shell: 'dash', loginShell: 'dash' });
    const transport: Transport = {
      async open(...args) {
        const stream = await inner.open(...args);
        // Text instead of bytes: nothing that reads them expects it.
        stream.stdout.setEncoding('utf8');
        return stream;
      },
    };
    await expect(createConnector(transport, { startTimeoutMs: 5_000 }).openToRead(LOCAL_HOST, quiet())).rejects.toEqual(failsWith('bug', { summary: containing('unexpected error') }));
  });

  it('a write that throws, an end that is rejected and a close that throws fail this visit, not the process', async () => {
    const inner = createLocalTransport({ shell: 'dash', loginShell: 'dash' });
    const broken = (spoil: (stream: ShellStream) => ShellStream): Transport => ({ open: async (...args) => spoil(await inner.open(...args)) });
    const throwing = (): never => { throw new Error('broken'); };
    const atWrite = broken((stream) => ({ ...stream, stdin: Object.assign(stream.stdin, { write: throwing }) }));
    const session = await createConnector(atWrite).openToRead(LOCAL_HOST, quiet());
    await expect(session.ask([{ ask: 'capability' }])).rejects.toEqual(failsWith('bug'));
    await session.close();
    const atEnd = broken((stream) => ({ ...stream, ended: Promise.reject(new Error('broken')), close: () => { void stream.close(); return throwing(); } }));
    const refused = await createConnector(atEnd).openToRead(LOCAL_HOST, quiet()).then((one) => one.ask([{ ask: 'capability' }])).catch((error: unknown) => error);
    expect(refused).toEqual(failsWith('bug'));
  });

  it('an interrupt ends the visit at any time', async () => {
    const interrupt = new AbortController();
    const transport = createLocalTransport({ shell: 'dash', loginShell: 'dash', onWrite: () => '' });
    const session = await createConnector(transport).openToRead(LOCAL_HOST, interrupt.signal);
    const answer = session.ask([{ ask: 'capability' }]);
    interrupt.abort();
    await expect(answer).rejects.toEqual(failsWith('interrupted'));
    await session.close();
    await expect(createConnector(transport).openToRead(LOCAL_HOST, interrupt.signal)).rejects.toEqual(failsWith('interrupted'));
  });

  it('a program that a question runs cannot eat the next request', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'fleetmend-eater-'));
    try {
      writeFileSync(join(scratch, 'eater'), '#!/bin/sh\ncat\necho done\n', { mode: 0o755 });
      const session = await createConnector(createLocalTransport({ shell: 'dash', loginShell: 'dash' })).openToRead(LOCAL_HOST, quiet());
      const both = await Promise.all([session.ask([{ ask: 'version', exe: join(scratch, 'eater') }]), session.ask([{ ask: 'capability' }])]);
      expect(both).toMatchObject([[{ ok: true, value: { text: 'done' } }], [{ ok: true, ask: 'capability' }]]);
      await session.close();
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });
});
