/** How a session turns questions and effects into requests, over a visit that only writes down what it is sent. */
import { describe, expect, it } from 'vitest';
import type { Effect } from '../../src/core/effect.js';
import type { Answer, Query } from '../../src/core/query.js';
import { createReadSession, createWriteSession } from '../../src/host/session.js';
import type { Visit } from '../../src/host/visit.js';
import { decodeRequest, encodeAnswers, encodeResult, type Request } from '../../src/host/wire.js';
import { LOCAL_HOST } from './local-node.js';

const NONCE = '0123456789abcdef0123456789abcdef';
const FILE = { exists: true, kind: 'file', realPath: '/a', viaLink: false, mode: 0o644, uid: 0, gid: 0, size: 1, links: 1, inode: '9', modifiedAt: 1, bytes: Uint8Array.from([65]) } as const;
const CAPABILITY = { uid: 0, hostname: 'h', kernel: '6', bootId: 'b', tools: [] };

/** `spoil`: changes the nth answer's bytes, so that its first file seems to have changed while it was read. */
function makeVisit(spoil: (n: number) => boolean = () => false): { visit: Visit; requests: Request['body'][] } {
  const requests: Request['body'][] = [];
  let seq = 0;
  const visit: Visit = {
    nonce: NONCE,
    hostKey: 'SHA256:x',
    login: { host: LOCAL_HOST, user: 'root' },
    close: async () => undefined,
    async exchange(line) {
      const body = decodeRequest(line((seq += 1)), NONCE)?.body;
      if (!body) throw new Error('not a request');
      requests.push(body);
      if (body.kind === 'perform') return encodeResult(NONCE, { ok: true, happened: 'now' });
      const stream = Buffer.from(encodeAnswers(NONCE, body.queries, body.queries.map((query): Answer => answerTo(query))));
      if (!spoil(seq)) return stream;
      // One byte more than the size that was seen before the read.
      const at = stream.lastIndexOf(`A:${NONCE}:\n`);
      return Buffer.concat([stream.subarray(0, at), Buffer.from('A'), stream.subarray(at)]);
    },
  };
  return { visit, requests };
}

function answerTo(query: Query): Answer {
  if (query.ask === 'file') return { ok: true, ask: 'file', value: FILE };
  if (query.ask === 'process') return { ok: true, ask: 'process', value: {} };
  return { ok: true, ask: 'capability', value: CAPABILITY };
}

const kinds = (body: Request['body'] | undefined): string[] => (body?.kind === 'ask' ? body.queries.map((query) => query.ask) : [body?.effect.do ?? 'nothing']);

describe('a session', () => {
  it('asks for files together, for processes after them, and answers in the order asked', async () => {
    const { visit, requests } = makeVisit();
    const answers = await createReadSession(visit, 1000).ask([{ ask: 'process', pid: 7 }, { ask: 'file', path: '/a' }, { ask: 'capability' }, { ask: 'file', path: '/b' }]);
    expect(kinds(requests[0])).toEqual(['capability', 'file', 'file', 'process']);
    expect(answers.map((answer) => answer.ask)).toEqual(['process', 'file', 'capability', 'file']);
  });

  it('asks for a process once more after a file that had to be read again', async () => {
    const { visit, requests } = makeVisit((n) => n === 1);
    const answers = await createReadSession(visit, 1000).ask([{ ask: 'process', pid: 7 }, { ask: 'file', path: '/a' }]);
    expect(requests.map(kinds)).toEqual([['file', 'process'], ['file'], ['process']]);
    expect(answers).toMatchObject([{ ok: true, ask: 'process' }, { ok: true, ask: 'file' }]);
  });

  it('never sends an effect to a shell that has not answered yet', async () => {
    const { visit, requests } = makeVisit();
    const session = createWriteSession(visit, 1000, '');
    await session.perform({ do: 'daemonReload', run: 'run-1', way: 'back', timeoutMs: 1 });
    await session.perform({ do: 'daemonReload', run: 'run-1', way: 'back', timeoutMs: 1 });
    expect(requests.map(kinds)).toEqual([['capability'], ['daemonReload'], ['daemonReload']]);
  });

  it('sends the program of the guard with the order to arm it, and with nothing else', async () => {
    const { visit, requests } = makeVisit();
    const session = createWriteSession(visit, 1000, 'program');
    const arm: Effect = { do: 'arm', run: 'run-1', order: { afterMs: 1, restores: [], activations: [] } };
    await session.perform(arm);
    await session.perform({ do: 'disarm', run: 'run-1' });
    expect(requests.slice(1)).toEqual([{ kind: 'perform', effect: arm, program: 'program' }, { kind: 'perform', effect: { do: 'disarm', run: 'run-1' } }]);
  });

  const holder = { run: 'run-1', who: 'alice@laptop', session: 's', staleAfterMs: 1 };
  it.each<[string, Effect]>([
    ['a run named as the lock', { do: 'clean', run: 'lock' }],
    ['a run named as what is left of a lock', { do: 'unlock', run: 'broken-x' }],
    ['a run with a path in it', { do: 'disarm', run: '../etc' }],
    ['a holder of two lines', { do: 'lock', holder: { ...holder, who: 'alice\nroot' } }],
    ['a session with a path in it', { do: 'lock', holder: { ...holder, session: '../x' } }],
    ['a session to break with a path in it', { do: 'breakLock', session: '../x' }],
    ['a time that is no number', { do: 'lock', holder: { ...holder, staleAfterMs: Number.NaN } }],
    ['an order with a relative path', { do: 'arm', run: 'run-1', order: { afterMs: 1, restores: [{ edit: { do: 'remove', path: 'a', before: 'f'.repeat(64) }, earlier: [] }], activations: [] } }],
  ])('refuses %s and sends nothing', async (_name, effect) => {
    const { visit, requests } = makeVisit();
    await expect(createWriteSession(visit, 1000, '').perform(effect)).rejects.toMatchObject({ failure: { kind: 'badInput' } });
    expect(requests).toEqual([]);
  });
});
