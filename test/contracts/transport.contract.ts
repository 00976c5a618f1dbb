/** What every Transport owes to its callers, run against each implementation. Commands are run by a real POSIX shell. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureOf, UNREACHABLE_KINDS } from '../../src/core/failure.js';
import type { Host } from '../../src/core/host.js';
import type { ShellStream, Transport } from '../../src/core/ports.js';

export interface TransportUnderTest {
  readonly transport: Transport;
  readonly host: Host;
  /** A host where nothing listens. */
  readonly absentHost: Host;
  /** Of the host's key. */
  readonly fingerprint: string;
  /** `unknown`: the implementation learns that there was a signal, and not which. */
  readonly signalName?: 'unknown';
  /** `dropped`: the server ends the channel with the command, whatever its children still write. */
  readonly lateOutput?: 'dropped';
  close(): Promise<void>;
}

const MIB = 1024 * 1024;

/** `noTerminals`: the server has none to give. */
export function transportContract(name: string, setup: () => Promise<TransportUnderTest>, terminals: 'terminals' | 'noTerminals' = 'terminals'): void {
  describe(`transport contract: ${name}`, () => {
    let lab: TransportUnderTest;
    /** What the login shell says by itself: a .bashrc may print (ssh.md 4.5). */
    let noise = '';
    beforeAll(async () => {
      lab = await setup();
      noise = (await run(await open('true'))).stderr;
    });
    afterAll(() => lab.close());

    const open = (command: string, signal = new AbortController().signal): Promise<ShellStream> => lab.transport.open(lab.host, command, signal);

    it('bytes go in and come out unchanged', async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
      const shell = await open('cat');
      shell.stdin.end(bytes);
      const [stdout, stderr, end] = await Promise.all([collect(shell.stdout), collect(shell.stderr), shell.ended]);
      expect(stdout.equals(bytes)).toBe(true);
      expect(stderr.toString()).toBe(noise);
      expect(end).toEqual({ how: 'exit', code: 0 });
    });

    it('names the host key that the server proved', async () => {
      const shell = await open('true');
      expect(shell.hostKey).toBe(lab.fingerprint);
      await shell.close();
    });

    it('the two outputs do not mix', async () => {
      expect(await run(await open('echo out; echo err >&2'))).toMatchObject({ stdout: 'out\n', stderr: `${noise}err\n` });
    });

    it.each([0, 1, 7, 255])('exit code %i is reported as it was', async (code) => {
      expect((await run(await open(`exit ${code}`))).end).toEqual({ how: 'exit', code });
    });

    it('a command that was killed ends with its signal', async () => {
      expect((await run(await open('kill -KILL $$'))).end).toEqual({ how: 'signal', signal: lab.signalName ?? 'SIGKILL' });
    });

    it('a command has no terminal unless that is asked for', async () => {
      expect((await run(await open('test -t 0 || test -t 1 || echo none'))).stdout).toBe('none\n');
    });

    if (terminals === 'terminals') it('a command has a terminal when that is asked for', async () => {
      const shell = await lab.transport.open(lab.host, 'test -t 0 && test -t 1 && echo both', new AbortController().signal, 'pty');
      expect((await run(shell)).stdout).toContain('both\r\n');
    });

    if (terminals === 'terminals') it('every byte passes a terminal that was told to change none', async () => {
      const bytes = Buffer.from(Array.from({ length: 256 * 256 }, (_, index) => index % 256));
      const shell = await lab.transport.open(lab.host, `stty raw -echo; echo ready; head -c ${bytes.length}`, new AbortController().signal, 'pty');
      shell.stderr.resume();
      const output = collect(shell.stdout.on('data', function once(chunk: Buffer) {
        if (!chunk.includes('ready\n')) return;
        shell.stdout.off('data', once);
        shell.stdin.write(bytes);
      }));
      const stdout = await output;
      expect(stdout.subarray(-bytes.length).equals(bytes)).toBe(true);
      expect(await shell.ended).toEqual({ how: 'exit', code: 0 });
    });

    it('5 MB on stderr do not block stdout or the end', async () => {
      const shell = await open(`head -c ${5 * MIB} /dev/zero >&2; echo done`);
      const [stdout, stderr, end] = await Promise.all([collect(shell.stdout), collect(shell.stderr), shell.ended]);
      expect([stdout.toString(), stderr.length - noise.length, end]).toEqual(['done\n', 5 * MIB, { how: 'exit', code: 0 }]);
    });

    it('5 MB of input arrive whole', async () => {
      const shell = await open('wc -c');
      shell.stdin.end(Buffer.alloc(5 * MIB, 0x61));
      expect((await run(shell)).stdout.trim()).toBe(String(5 * MIB));
    });

    it('output that comes after the exit is delivered before the end', async () => {
      const shell = await open(`(head -c ${MIB} /dev/zero; head -c ${MIB} /dev/zero >&2) & exit 3`);
      const lengths = { stdout: 0, stderr: 0 };
      shell.stdout.on('data', (chunk: Buffer) => (lengths.stdout += chunk.length));
      shell.stderr.on('data', (chunk: Buffer) => (lengths.stderr += chunk.length));
      expect(await shell.ended).toEqual({ how: 'exit', code: 3 });
      if (lab.lateOutput !== 'dropped') expect(lengths).toEqual({ stdout: MIB, stderr: MIB + noise.length });
    });

    it('a child that keeps the output open does not keep the connection', async () => {
      const shell = await open('exec 3<&0; cat <&3 & echo started; exit 4');
      expect(await run(shell)).toMatchObject({ stdout: 'started\n', end: { how: 'exit', code: 4 } });
    });

    it('close() ends a running command as lost, and may be called twice', async () => {
      const shell = await open('echo ready; cat');
      await firstChunk(shell);
      await Promise.all([shell.close(), shell.close()]);
      expect(await shell.ended).toEqual({ how: 'lost' });
      await shell.close();
    });

    it('close() ends although nobody read the outputs', async () => {
      const shell = await open(`head -c ${20 * MIB} /dev/zero; head -c ${20 * MIB} /dev/zero >&2`);
      await shell.close();
      expect(await shell.ended).toEqual({ how: 'lost' });
    });

    it('an abort ends an open stream', async () => {
      const controller = new AbortController();
      const shell = await open('echo ready; cat', controller.signal);
      await firstChunk(shell);
      controller.abort();
      expect(await shell.ended).toEqual({ how: 'lost' });
      await shell.close();
    });

    it('an aborted signal opens nothing', async () => {
      const failure = await lab.transport.open(lab.host, 'true', AbortSignal.abort()).catch(failureOf);
      expect(failure).toMatchObject({ kind: 'interrupted' });
    });

    it('a write after the end fails instead of hanging or crashing', async () => {
      const shell = await open('exit 0');
      await run(shell);
      const error = await new Promise((resolve) => shell.stdin.write('late', resolve));
      expect(error).toBeInstanceOf(Error);
    });

    it('several streams to one host do not disturb each other', async () => {
      const ends = await Promise.all([3, 4, 5, 6].map(async (code) => (await run(await open(`exit ${code}`))).end));
      expect(ends).toEqual([3, 4, 5, 6].map((code) => ({ how: 'exit', code })));
    });

    it('a host that cannot be reached is rejected with an unreachable kind', async () => {
      const failure = await lab.transport.open(lab.absentHost, 'true', new AbortController().signal).catch(failureOf);
      expect(UNREACHABLE_KINDS).toContain(failureKind(failure));
      expect(failure).toMatchObject({ kind: 'refusedConnection' });
    });
  });
}

function failureKind(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'kind' in value ? value.kind : value;
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function run(shell: ShellStream): Promise<{ stdout: string; stderr: string; end: unknown }> {
  const [stdout, stderr, end] = await Promise.all([collect(shell.stdout), collect(shell.stderr), shell.ended]);
  return { stdout: stdout.toString(), stderr: stderr.toString(), end };
}

/** Waits for output without ending the stream, and goes on draining it. */
async function firstChunk(shell: ShellStream): Promise<void> {
  shell.stderr.resume();
  await new Promise((resolve) => shell.stdout.once('data', resolve));
}
