import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Effect, EffectResult } from '../../src/core/effect.js';
import type { Answer, Query } from '../../src/core/query.js';
import { decodeAnswers, decodeRequest, decodeResult, encodeAnswers, encodeRequest, encodeResult, nonceOfCommand, startCommand } from '../../src/host/wire.js';
import { decodeWord, encodeWord } from '../../src/host/words.js';

const NONCE = '0123456789abcdef0123456789abcdef';
const noNul = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
const path = noNul.map((text) => `/${text}`);

const query: fc.Arbitrary<Query> = fc.oneof(
  fc.constant<Query>({ ask: 'capability' }),
  noNul.map((unit): Query => ({ ask: 'unit', unit })),
  fc.nat().map((pid): Query => ({ ask: 'process', pid })),
  noNul.map((exe): Query => ({ ask: 'processes', exe })),
  path.map((one): Query => ({ ask: 'file', path: one })),
  path.map((one): Query => ({ ask: 'directory', path: one })),
  path.map((one): Query => ({ ask: 'writable', path: one })),
  fc.tuple(noNul, fc.nat()).map(([url, timeoutMs]): Query => ({ ask: 'http', url, timeoutMs })),
  path.map((exe): Query => ({ ask: 'version', exe })),
  noNul.map((unit): Query => ({ ask: 'status', unit })),
  fc.constant<Query>({ ask: 'lock' }),
  noNul.map((run): Query => ({ ask: 'guard', run })),
);

describe('words', () => {
  it('every text without NUL comes back, and never leaves the harmless characters', () => {
    fc.assert(fc.property(noNul, (text) => {
      const word = encodeWord(text);
      expect(word).toMatch(/^[+=][A-Za-z0-9_./:@%,=+-]*$/);
      expect(decodeWord(word)).toBe(Buffer.from(text).toString());
    }));
  });

  it('a text with NUL is refused', () => {
    expect(() => encodeWord('a\0b')).toThrow();
  });
});

describe('requests', () => {
  it('questions come back as they were asked', () => {
    fc.assert(fc.property(fc.array(query, { minLength: 1, maxLength: 8 }), fc.nat(), (queries, seq) => {
      const line = encodeRequest({ nonce: NONCE, seq, body: { kind: 'ask', queries } });
      expect(decodeRequest(line, NONCE)).toEqual({ nonce: NONCE, seq, body: { kind: 'ask', queries: JSON.parse(JSON.stringify(queries)) as unknown } });
    }));
  });

  it.each<Effect>([
    { do: 'lock', holder: { run: 'r', who: "o'neil@a b", session: 's', staleAfterMs: 5 } },
    { do: 'unlock', run: 'r' },
    { do: 'breakLock', session: '' },
    { do: 'disarm', run: 'r' },
    { do: 'clean', run: 'r' },
    { do: 'arm', run: 'r', order: { afterMs: 7, restores: [], activations: [] } },
    {
      do: 'arm', run: 'r', order: {
        afterMs: 7, invocationId: 'i',
        restores: [
          { edit: { do: 'write', path: '/a\nrestart +1 +b', before: 'absent', after: 'b', content: '' }, earlier: ['c', 'absent'] },
          { edit: { do: 'remove', path: '/$(b)', before: 'a' }, earlier: [] },
        ],
        activations: [{ do: 'daemonReload', timeoutMs: 1 }, { do: 'restart', unit: 'a@b.service', timeoutMs: 2 }],
      },
    },
    { do: 'edit', run: 'r', way: 'guarded', edit: { do: 'write', path: '/a b', before: 'absent', after: 'f'.repeat(64), content: 'AA+/==' } },
    { do: 'edit', run: 'r', way: 'unguarded', edit: { do: 'remove', path: '/a', before: 'f'.repeat(64) } },
    { do: 'restore', run: 'r', foreign: 'save', edit: { do: 'write', path: '/a', before: 'a', after: 'b', content: '' }, earlier: ['c', 'absent'] },
    { do: 'restore', run: 'r', foreign: 'refuse', edit: { do: 'remove', path: '/a', before: 'a' }, earlier: [] },
    { do: 'daemonReload', run: 'r', way: 'back', timeoutMs: 5 },
    { do: 'restart', run: 'r', way: 'unguarded', unit: 'a@b.service', timeoutMs: 5 },
    { do: 'resetFailed', run: 'r', way: 'back', unit: 'a.service', timeoutMs: 5 },
  ])('the effect $do comes back as it was asked', (effect) => {
    expect(decodeRequest(encodeRequest({ nonce: NONCE, seq: 7, body: { kind: 'perform', effect } }), NONCE)).toEqual({ nonce: NONCE, seq: 7, body: { kind: 'perform', effect } });
  });

  it('a line that was cut anywhere, or belongs to another visit, is no request', () => {
    const line = encodeRequest({ nonce: NONCE, seq: 1, body: { kind: 'ask', queries: [{ ask: 'file', path: '/etc/a' }, { ask: 'capability' }] } }).trimEnd();
    for (let length = 0; length < line.length; length += 1) expect(decodeRequest(line.slice(0, length), NONCE)).toBeUndefined();
    expect(decodeRequest(line, NONCE)).toBeDefined();
    expect(decodeRequest(line, 'f'.repeat(32))).toBeUndefined();
  });

  it('the start command is plain words with one quoted word, and carries the nonce', () => {
    for (const become of ['none', 'sudo'] as const) {
      const command = startCommand(become, NONCE);
      expect(command).toMatch(/^exec \/bin\/sh -c '[a-z0-9; /-]*'$/);
      expect(nonceOfCommand(command)).toBe(NONCE);
    }
    expect(nonceOfCommand('rm -rf /')).toBeUndefined();
  });
});

const PROCESS = { pid: 7, startTicks: '12345', startedAt: 1_700_000_123.45, cmdline: Uint8Array.from([97, 0, 98, 0]), exe: '/usr/bin/kubelet', exeDeleted: true, cwd: '/', cgroup: '0::/k', hostNamespaces: true };
const FILE = { exists: true, kind: 'file', realPath: '/a', viaLink: false, mode: 0o644, uid: 0, gid: 0, size: 3, links: 1, inode: '9', modifiedAt: 1.5, bytes: Uint8Array.from([1, 0, 255]) } as const;

const EXAMPLES: readonly (readonly [Query, Answer])[] = [
  [{ ask: 'file', path: '/a' }, { ok: true, ask: 'file', value: FILE }],
  [{ ask: 'file', path: '/b' }, { ok: true, ask: 'file', value: { exists: false } }],
  [{ ask: 'file', path: '/c' }, { ok: false, ask: 'file', reason: 'tooLarge', detail: '/c: 1073741824 bytes' }],
  [{ ask: 'file', path: '/d' }, { ok: true, ask: 'file', value: { ...FILE, realPath: '/e', viaLink: true } }],
  [{ ask: 'unit', unit: 'k' }, { ok: true, ask: 'unit', value: { properties: { Id: 'k', EnvironmentFiles: '/a\n/b' }, process: PROCESS, monotonicUs: 1_500_000 } }],
  [{ ask: 'process', pid: 1 }, { ok: true, ask: 'process', value: {} }],
  [{ ask: 'processes', exe: 'k' }, { ok: true, ask: 'processes', value: { pids: [1, 2], unreadable: 3 } }],
  [{ ask: 'capability' }, { ok: true, ask: 'capability', value: { uid: 0, hostname: 'h', kernel: '6', bootId: 'b', systemd: 252, tools: ['stat'] } }],
  [{ ask: 'directory', path: '/d' }, { ok: true, ask: 'directory', value: { exists: true, isDirectory: true, isLink: true, entries: [{ path: 'a\nb', kind: 'link', target: 'missing' }, { path: 'c', kind: 'directory' }] } }],
  [{ ask: 'directory', path: '/e' }, { ok: true, ask: 'directory', value: { exists: false } }],
  [{ ask: 'writable', path: '/d' }, { ok: true, ask: 'writable', value: { writable: true, links: 2, freeBytes: 99 } }],
  [{ ask: 'writable', path: '/e' }, { ok: true, ask: 'writable', value: { writable: false, reason: 'immutable', detail: 'why' } }],
  [{ ask: 'http', url: 'http://h/', timeoutMs: 1 }, { ok: true, ask: 'http', value: { status: 503, body: 'not\n\nyet' } }],
  [{ ask: 'http', url: 'http://h/', timeoutMs: 1 }, { ok: false, ask: 'http', reason: 'timeout', detail: 'late' }],
  [{ ask: 'version', exe: '/k' }, { ok: true, ask: 'version', value: { text: 'v1' } }],
  [{ ask: 'lock' }, { ok: true, ask: 'lock', value: { held: false } }],
  [{ ask: 'lock' }, { ok: true, ask: 'lock', value: { held: false, armed: 'other' } }],
  [{ ask: 'lock' }, { ok: true, ask: 'lock', value: { held: true, run: 'r', who: 'a@c', session: 's', heldForMs: 3000, silentForMs: 0, staleAfterMs: 5, touched: true, guard: 'armed' } }],
  [{ ask: 'lock' }, { ok: true, ask: 'lock', value: { held: true, armed: 'other', run: 'r', who: 'a@c', session: 's', heldForMs: 0, silentForMs: 0, staleAfterMs: 5, touched: true, guard: 'fired', guardOk: false } }],
  [{ ask: 'lock' }, { ok: true, ask: 'lock', value: { held: true, run: '', who: '', session: '', heldForMs: 0, silentForMs: 0, staleAfterMs: 5, touched: false, guard: 'none' } }],
  [{ ask: 'guard', run: 'r' }, { ok: true, ask: 'guard', value: { state: 'armed', firesInMs: 0 } }],
  [{ ask: 'guard', run: 'r' }, { ok: true, ask: 'guard', value: { state: 'armed' } }],
  [{ ask: 'guard', run: 'r' }, { ok: true, ask: 'guard', value: { state: 'fired', ok: false, report: 'one\ntwo' } }],
  [{ ask: 'status', unit: 'k' }, { ok: true, ask: 'status', value: { exit: 3, text: 'dead' } }],
];

describe('answers', () => {
  it('come back as they were given, all in one', () => {
    const queries = EXAMPLES.map(([one]) => one);
    const decoded = decodeAnswers(NONCE, queries, encodeAnswers(NONCE, queries, EXAMPLES.map(([, answer]) => answer)));
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (_key, one: unknown) => (one instanceof Uint8Array ? Buffer.from(one).toString('hex') : one)));
    expect(plain(decoded)).toEqual(plain(EXAMPLES.map(([, answer]) => answer)));
  });

  it.each([
    ['../etc', 's', 'a@c', { run: '', session: 's', who: 'a@c' }],
    ['r', 's; reboot', 'a@c', { run: 'r', session: '', who: 'a@c' }],
    ['r', 's', '\u001b[2Jroot', { run: 'r', session: 's', who: '' }],
    ['broken-x', '', 'a b', { run: '', session: '', who: '' }],
  ])('a lock of run %j, session %j and %j is shown without what is no name', (run, session, who, expected) => {
    const value = { held: true, armed: run, run, who, session, heldForMs: 0, silentForMs: 0, staleAfterMs: 5, touched: false, guard: 'none' } as const;
    const [taken] = decodeAnswers(NONCE, [{ ask: 'lock' }], encodeAnswers(NONCE, [{ ask: 'lock' }], [{ ok: true, ask: 'lock', value }]));
    expect(taken).toMatchObject({ value: expected });
    expect(JSON.stringify(taken)).not.toMatch(/etc|reboot|broken|u001b/);
  });

  it('a stream that was cut, or holds more than was asked, is refused', () => {
    const queries = EXAMPLES.map(([one]) => one);
    const stream = encodeAnswers(NONCE, queries, EXAMPLES.map(([, answer]) => answer));
    for (let length = 0; length < stream.length; length += 13) expect(() => decodeAnswers(NONCE, queries, stream.subarray(0, length))).toThrow();
    expect(() => decodeAnswers(NONCE, queries.slice(0, -1), stream)).toThrow();
  });

  it('noise instead of an answer is a protocol failure and nothing else', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(query, { minLength: 1, maxLength: 3 }), (stream, queries) => {
      expect(() => decodeAnswers(NONCE, queries, stream)).toThrow(expect.objectContaining({ name: 'FleetmendError' }) as Error);
    }));
  });

  it.each<EffectResult>([
    { ok: true, happened: 'now' },
    { ok: true, happened: 'already', detail: 'd' },
    { ok: false, effect: 'none', reason: 'drift', detail: 'd' },
    { ok: false, effect: 'unknown', reason: 'exit', detail: 'two\nlines', exit: 5 },
    { ok: false, effect: 'none', reason: 'guardFired', detail: 'd' },
    { ok: false, effect: 'none', reason: 'superseded', detail: 'd' },
  ])('the result of an effect comes back: %j', (result) => {
    expect(decodeResult(NONCE, encodeResult(NONCE, result))).toEqual(result);
  });
});
