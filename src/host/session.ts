/**
 * What a visit can do for the engine: ask, and (only when it was opened to write) perform. Turns
 * questions into request lines and answers back into data; repeats what changed while it was read.
 */
import { FleetmendError } from '../core/failure.js';
import type { Effect, EffectResult } from '../core/effect.js';
import type { ReadSession, WriteSession } from '../core/ports.js';
import type { Answer, Query } from '../core/query.js';
import { decodeAnswers, decodeResult, type TakenAnswer } from './answers.js';
import { encodeRequest, type Request } from './requests.js';
import type { Visit } from './visit.js';

/** How often a file is read before it is said to be changing. */
const TRIES = 3;

interface Exchange {
  /** In turn: the node works at one request at a time. */
  send(body: Request['body'], extraMs: number): Promise<Uint8Array>;
}

function createExchange(visit: Visit, operationTimeoutMs: number): Exchange {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    send(body, extraMs) {
      const answer = turn.then(() => visit.exchange((seq) => encodeRequest({ nonce: visit.nonce, seq, body }), operationTimeoutMs + extraMs));
      turn = answer.catch(() => undefined);
      return answer;
    },
  };
}

export function createReadSession(visit: Visit, operationTimeoutMs: number): ReadSession {
  return readingPart(visit, createExchange(visit, operationTimeoutMs));
}

export function createWriteSession(visit: Visit, operationTimeoutMs: number): WriteSession {
  const exchange = createExchange(visit, operationTimeoutMs);
  return {
    ...readingPart(visit, exchange),
    async perform(effect) {
      refuseBadEffect(effect);
      const stream = await exchange.send({ kind: 'perform', effect }, 'timeoutMs' in effect ? effect.timeoutMs : 0);
      return decodeResult(visit.nonce, stream) satisfies EffectResult;
    },
  };
}

function readingPart(visit: Visit, exchange: Exchange): ReadSession {
  const askOnce = async (queries: readonly Query[]): Promise<TakenAnswer[]> => {
    if (queries.length === 0) return [];
    const waitMs = queries.reduce((sum, query) => sum + (query.ask === 'http' ? query.timeoutMs : 0), 0);
    return decodeAnswers(visit.nonce, queries, await exchange.send({ kind: 'ask', queries }, waitMs));
  };
  const settle = async (query: Query, answer: TakenAnswer | undefined): Promise<Answer> => {
    let last = answer;
    for (let tries = 1; last && 'again' in last && tries < TRIES; tries += 1) [last] = await askOnce([query]);
    if (last && !('again' in last)) return last;
    return { ok: false, ask: 'file', reason: 'changing', detail: `${query.ask === 'file' ? query.path : ''}: changed while it was read, ${TRIES} times` };
  };
  return {
    hostKey: visit.hostKey,
    async ask(queries) {
      const refusals = queries.map(refusalOf);
      // Files go last and together: they then cost one stat and one cat on the node.
      const order = queries.map((_, index) => index).filter((index) => !refusals[index]);
      order.sort((a, b) => Number(queries[a]?.ask === 'file') - Number(queries[b]?.ask === 'file'));
      const taken = await askOnce(order.flatMap((index) => queries[index] ?? []));
      const byIndex = new Map(order.map((index, position) => [index, taken[position]]));
      const answers: Answer[] = [];
      for (const [index, query] of queries.entries()) answers.push(refusals[index] ?? (await settle(query, byIndex.get(index))));
      return answers;
    },
    close: () => visit.close(),
  };
}

/** A question that makes no sense to any node; it must not spoil the others of its round trip. */
function refusalOf(query: Query): Answer | undefined {
  const text = subjectOf(query);
  const bad = text.includes('\0') || (text === '' && query.ask !== 'capability');
  const relative = (query.ask === 'file' || query.ask === 'directory' || query.ask === 'writable' || query.ask === 'version') && !text.startsWith('/');
  const noUrl = query.ask === 'http' && !/^https?:\/\/[!-~]+$/.test(text);
  if (!bad && !relative && !noUrl) return undefined;
  return { ok: false, ask: query.ask, reason: 'failed', detail: `${JSON.stringify(text)} is not ${noUrl ? 'a URL' : relative ? 'an absolute path' : 'a name'}` };
}

function subjectOf(query: Query): string {
  switch (query.ask) {
    case 'capability':
      return '';
    case 'unit':
    case 'status':
      return query.unit;
    case 'process':
      return String(query.pid);
    case 'processes':
    case 'version':
      return query.exe;
    case 'file':
    case 'directory':
    case 'writable':
      return query.path;
    case 'http':
      return query.url;
  }
}

const RUN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

function refuseBadEffect(effect: Effect): void {
  if (effect.do !== 'edit' && effect.do !== 'restore') return;
  if (!RUN_NAME.test(effect.run)) throw new FleetmendError({ kind: 'badInput', summary: `not a name of a run: ${JSON.stringify(effect.run)}` });
  if (!effect.edit.path.startsWith('/')) throw new FleetmendError({ kind: 'badInput', summary: `not an absolute path: ${JSON.stringify(effect.edit.path)}` });
}
