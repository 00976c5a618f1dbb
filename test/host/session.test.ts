/** How a session turns questions and effects into requests, over a visit that only writes down what it is sent. */
import { describe, expect, it } from 'vitest';
import type { Answer, Query } from '../../src/core/query.js';
import { createReadSession, createWriteSession } from '../../src/host/session.js';
import type { Visit } from '../../src/host/visit.js';
import { decodeRequest, encodeAnswers, encodeResult, type Request } from '../../src/host/wire.js';

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
    const session = createWriteSession(visit, 1000);
    await session.perform({ do: 'daemonReload', timeoutMs: 1 });
    await session.perform({ do: 'daemonReload', timeoutMs: 1 });
    expect(requests.map(kinds)).toEqual([['capability'], ['daemonReload'], ['daemonReload']]);
  });

  it('names the run of an activation from the edits before it, over later visits of the same host too', async () => {
    const memory = {};
    const [first, second] = [makeVisit(), makeVisit()];
    const edit = { do: 'remove', path: '/a', before: 'f'.repeat(64) } as const;
    const session = createWriteSession(first.visit, 1000, memory);
    await session.perform({ do: 'daemonReload', timeoutMs: 1 });
    await session.perform({ do: 'edit', run: 'run-1', edit });
    await createWriteSession(second.visit, 1000, memory).perform({ do: 'restart', unit: 'a.service', timeoutMs: 1 });
    expect(first.requests.at(1)).toEqual({ kind: 'perform', effect: { do: 'daemonReload', timeoutMs: 1 } });
    expect(second.requests.at(-1)).toEqual({ kind: 'perform', effect: { do: 'restart', unit: 'a.service', timeoutMs: 1 }, run: 'run-1' });
  });
});
