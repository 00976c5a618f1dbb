/** The fake node's side of the wire: only whole request lines of this visit are run, everything else is skipped. */
import { describe, expect, test } from 'vitest';
import { digestOf, toBase64 } from '../../src/core/bytes.js';
import type { Effect } from '../../src/core/effect.js';
import type { Host } from '../../src/core/host.js';
import type { ShellEnd } from '../../src/core/ports.js';
import type { Query } from '../../src/core/query.js';
import { createFrameParser, decodeAnswers, decodeResult, encodeRequest, startCommand, upLine, type Request } from '../../src/host/wire.js';
import { createFakeNode, type FakeNode } from './fake-node.js';
import { fakeTransport } from './fake-transport.js';
import { eksAl2 } from './layouts.js';
import { armOf, editOf, holderOf, writeOf } from './open-visit.js';
import type { ServeOptions } from './fake-protocol.js';
import { createVirtualClock } from './virtual-clock.js';

const NONCE = '0123456789abcdef0123456789abcdef';
const HOST: Host = { name: 'node-1', address: '127.0.0.1', port: 22, user: 'root', become: 'none', connectTimeoutMs: 1000, labels: {} };
const RESTART: Effect = { do: 'restart', run: 'run-1', way: 'unguarded', unit: 'kubelet.service', timeoutMs: 1000 };
const LOCK: Effect = { do: 'lock', holder: holderOf('run-1') };

interface Visit {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly end: ShellEnd;
}

function makeNode(sudo: 'allowed' | 'refused' = 'allowed'): FakeNode {
  return createFakeNode({ name: 'node-1', clock: createVirtualClock(), spec: { layout: eksAl2, ailment: '' }, sudo });
}

/** Sends `input` in pieces of `pieceBytes` and ends it. */
async function visit(node: FakeNode, input: string, more: { host?: Partial<Host>; serve?: ServeOptions; command?: string; pieceBytes?: number } = {}): Promise<Visit> {
  const host = { ...HOST, ...more.host };
  const transport = fakeTransport(new Map([[node.name, node]]), more.serve);
  const stream = await transport.open(host, more.command ?? startCommand(host.become, NONCE), new AbortController().signal);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  stream.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  stream.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const bytes = Buffer.from(input);
  const pieceBytes = more.pieceBytes ?? bytes.length;
  for (let at = 0; at < bytes.length; at += pieceBytes) stream.stdin.write(bytes.subarray(at, at + pieceBytes));
  stream.stdin.end();
  const end = await stream.ended;
  await stream.close();
  expect(transport.openStreams()).toBe(0);
  return { stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString(), end };
}

function line(body: Parameters<typeof encodeRequest>[0]['body'], seq = 1): string {
  return encodeRequest({ nonce: NONCE, seq, body });
}

/** The request after one that takes the lock. */
function locked(body: Parameters<typeof encodeRequest>[0]['body'], seq = 1): string {
  return line({ kind: 'perform', effect: LOCK }, seq) + line(body, seq + 1);
}

const READING = "fm_do_file() { :; }\n";
const LIBRARY = "fm_do_edit() { :; }\nfm() {\n  printf 'restart %s' \"$1\"\n}\nsystemctl restart kubelet.service\n";
const QUERIES: readonly Query[] = [{ ask: 'capability' }, { ask: 'file', path: eksAl2.configPath }, { ask: 'unit', unit: 'kubelet.service' }];

describe('a visit', () => {
  test.each([1, 7, 4096])('that arrives in pieces of %i bytes skips the library and answers in order', async (pieceBytes) => {
    const node = makeNode();
    const { stdout, end } = await visit(node, LIBRARY + line({ kind: 'ask', queries: QUERIES }) + locked({ kind: 'perform', effect: RESTART }, 2), { pieceBytes });
    expect(stdout.toString()).toContain(`${upLine(NONCE)}\n`);
    const [first, lock, second] = createFrameParser(NONCE).push(stdout);
    expect(lock && decodeResult(NONCE, lock.stream)).toEqual({ ok: true, happened: 'now' });
    expect(first && decodeAnswers(NONCE, QUERIES, first.stream)).toMatchObject([{ ask: 'capability', value: { uid: 0, hostname: 'node-1' } }, { ask: 'file', ok: true }, { ask: 'unit', ok: true }]);
    expect(second && decodeResult(NONCE, second.stream)).toEqual({ ok: true, happened: 'now' });
    expect(node.systemd.counts.restart).toBe(1);
    expect(end).toEqual({ how: 'exit', code: 0 });
  });

  test('a request line that was cut anywhere never runs', async () => {
    const whole = line({ kind: 'perform', effect: RESTART }, 2);
    for (let length = 0; length < whole.length; length += 1) {
      const node = makeNode();
      await visit(node, LIBRARY + line({ kind: 'perform', effect: LOCK }) + whole.slice(0, length));
      expect(node.systemd.counts.restart).toBe(0);
    }
  });

  test('a request of another visit is not answered', async () => {
    const node = makeNode();
    const { stdout } = await visit(node, encodeRequest({ nonce: 'f'.repeat(32), seq: 1, body: { kind: 'perform', effect: RESTART } }));
    expect(node.systemd.counts.restart).toBe(0);
    expect(stdout.toString()).toBe(`${upLine(NONCE)}\n`);
  });

  test('a session that was sent only the reading half of the library cannot change anything', async () => {
    const node = makeNode();
    const { stdout } = await visit(node, READING + line({ kind: 'perform', effect: RESTART }));
    const [frame] = createFrameParser(NONCE).push(stdout);
    expect(() => frame && decodeResult(NONCE, frame.stream)).toThrow('not the result of an effect');
    expect(node.systemd.counts.restart).toBe(0);
  });

  test('a command that is not the protocol is refused', async () => {
    expect(await visit(makeNode(), LIBRARY, { command: 'uptime' })).toMatchObject({ end: { how: 'exit', code: 127 }, stdout: Buffer.alloc(0) });
  });

  test('noise before the answers does no harm', async () => {
    const { stdout } = await visit(makeNode(), line({ kind: 'ask', queries: QUERIES }), { serve: { noise: 'Welcome!\n\u001b[31mfm-begin-\n' } });
    expect(createFrameParser(NONCE).push(stdout)).toHaveLength(1);
  });

  test('a user who is not root is root with sudo, ordinary without, and turned away when sudo refuses', async () => {
    const queries: readonly Query[] = [{ ask: 'capability' }];
    const uidOf = async (host: Partial<Host>): Promise<unknown> => {
      const { stdout } = await visit(makeNode(), line({ kind: 'ask', queries }), { host });
      const [frame] = createFrameParser(NONCE).push(stdout);
      return frame === undefined ? undefined : decodeAnswers(NONCE, queries, frame.stream)[0];
    };
    expect(await uidOf({ user: 'ops', become: 'sudo' })).toMatchObject({ value: { uid: 0 } });
    expect(await uidOf({ user: 'ops', become: 'none' })).toMatchObject({ value: { uid: 1000 } });
    const refused = await visit(makeNode('refused'), line({ kind: 'ask', queries }), { host: { user: 'ops', become: 'sudo' } });
    expect(refused).toMatchObject({ end: { how: 'exit', code: 1 }, stderr: 'sudo: a password is required\n' });
  });
});

describe('a connection that breaks', () => {
  const effect: Effect = {
    do: 'edit', run: 'run-1', way: 'unguarded',
    edit: { do: 'write', path: '/etc/new', before: 'absent', after: digestOf(Buffer.from('x')), content: toBase64(Buffer.from('x')) },
  };

  const isEdit = ({ body }: Request): boolean => body.kind === 'perform' && body.effect.do === 'edit';

  test.each([
    ['before the request: nothing was done', { beforeRequest: (request: Request) => (isEdit(request) ? ('cut' as const) : undefined) }, false],
    ['before the answer: it was done', { answer: (request: Request, frame: Uint8Array) => (isEdit(request) ? ('cut' as const) : frame) }, true],
  ])('%s', async (_name, serve, isDone) => {
    const node = makeNode();
    const { end, stdout } = await visit(node, LIBRARY + locked({ kind: 'perform', effect }), { serve });
    expect(end).toEqual({ how: 'lost' });
    expect(createFrameParser(NONCE).push(stdout)).toHaveLength(1);
    expect(node.files.stat('/etc/new') !== undefined).toBe(isDone);
  });

  test('because the node lost its power ends the visit, and the shell of before is not answered when it is back', async () => {
    const node = makeNode();
    const serve: ServeOptions = {
      answer: (request, frame) => {
        if (request.body.kind !== 'ask') return frame;
        node.boot();
        return 'cut';
      },
    };
    const { end } = await visit(node, LIBRARY + line({ kind: 'perform', effect: LOCK }) + line({ kind: 'ask', queries: QUERIES }, 2), { serve });
    expect(end).toEqual({ how: 'lost' });
    expect(node.ask({ ask: 'lock' })).toMatchObject({ value: { held: true } });
  });
});

describe('lock and guard over the wire', () => {
  test('a visit that was taught to write keeps its lock alive by asking; one that was not shows no sign of life', async () => {
    const clock = createVirtualClock();
    const node = createFakeNode({ name: 'node-1', clock, spec: { layout: eksAl2, ailment: '' } });
    const lockSeenBy = async (first: string): Promise<unknown> => {
      const { stdout } = await visit(node, first + line({ kind: 'ask', queries: [{ ask: 'lock' }] }, 2), { serve: { beforeRequest: () => void clock.advance(1_000) } });
      const [, answer] = createFrameParser(NONCE).push(stdout);
      return answer && decodeAnswers(NONCE, [{ ask: 'lock' }], answer.stream)[0];
    };
    expect(await lockSeenBy(LIBRARY + line({ kind: 'perform', effect: LOCK }))).toMatchObject({ value: { held: true, who: 'run-1@laptop', silentForMs: 0 } });
    expect(await lockSeenBy(READING + line({ kind: 'ask', queries: [{ ask: 'capability' }] }))).toMatchObject({ value: { held: true, silentForMs: 2_000 } });
  });

  test('an order arrives whole: what is armed over the wire restores and restarts', async () => {
    const clock = createVirtualClock();
    const node = createFakeNode({ name: 'node-1', clock, spec: { layout: eksAl2, ailment: '' }, files: { '/etc/x': 'old' } });
    const edit = writeOf('/etc/x', 'old', 'new');
    const requests = [LOCK, armOf('run-1', 'kubelet.service', [edit], 60_000), editOf('run-1', edit, 'guarded')];
    await visit(node, LIBRARY + requests.map((effect, index) => line({ kind: 'perform', effect }, index + 1)).join(''));
    expect(Buffer.from(node.files.read('/etc/x') ?? []).toString()).toBe('new');
    clock.advance(60_000);
    const queries: readonly Query[] = [{ ask: 'guard', run: 'run-1' }];
    const { stdout } = await visit(node, line({ kind: 'ask', queries }));
    const [answer] = createFrameParser(NONCE).push(stdout);
    expect(answer && decodeAnswers(NONCE, queries, answer.stream)).toMatchObject([{ value: { state: 'fired', ok: true, report: expect.stringContaining('restore /etc/x: now') as string } }]);
    expect(node.systemd.counts).toMatchObject({ daemonReload: 1, restart: 1 });
  });
});
