/**
 * What a visit can do for the engine: ask, and (only when it was opened to write) perform. Turns
 * questions into request lines and answers back into data; repeats what changed while it was read.
 * Never sends an effect to a shell that has not answered yet.
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

/** What one controller remembers of a host between its visits: the run whose files it touched last. */
export interface RunMemory {
  run?: string;
}

interface Exchange {
  /** In turn: the node works at one request at a time. */
  send(body: Request['body'], extraMs: number): Promise<Uint8Array>;
  hasAnswered(): boolean;
}

function createExchange(visit: Visit, operationTimeoutMs: number): Exchange {
  let turn: Promise<unknown> = Promise.resolve();
  let answered = false;
  return {
    hasAnswered: () => answered,
    send(body, extraMs) {
      const answer = turn.then(() => visit.exchange((seq) => encodeRequest({ nonce: visit.nonce, seq, body }), operationTimeoutMs + extraMs));
      turn = answer.then(() => { answered = true; }, () => undefined);
      return answer;
    },
  };
}

export function createReadSession(visit: Visit, operationTimeoutMs: number): ReadSession {
  return readingPart(visit, createExchange(visit, operationTimeoutMs));
}

export function createWriteSession(visit: Visit, operationTimeoutMs: number, memory: RunMemory = {}): WriteSession {
  const exchange = createExchange(visit, operationTimeoutMs);
  const reading = readingPart(visit, exchange);
  return {
    ...reading,
    async perform(effect) {
      refuseBadEffect(effect);
      // The node orders visits by the start of their shells. Behind a sudo that hangs the shell would start when the
      // controller has long gone on to a later visit; so no effect waits in its input before it is known to be there.
      if (!exchange.hasAnswered()) await reading.ask([{ ask: 'capability' }]);
      if ('run' in effect) memory.run = effect.run;
      const stream = await exchange.send({ kind: 'perform', effect, ...runOfActivation(effect, memory) }, 'timeoutMs' in effect ? effect.timeoutMs : 0);
      return decodeResult(visit.nonce, stream) satisfies EffectResult;
    },
  };
}

function runOfActivation(effect: Effect, { run }: RunMemory): { run?: string } {
  return 'run' in effect || run === undefined ? {} : { run };
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
      const order = queries.map((_, index) => index).filter((index) => !refusals[index]);
      order.sort((a, b) => turnOf(queries[a]) - turnOf(queries[b]));
      const taken = await askOnce(order.flatMap((index) => queries[index] ?? []));
      const answers = new Map<number, Answer | undefined>(refusals.entries());
      let repeated = false;
      for (const [position, index] of order.entries()) {
        const [query, answer] = [queries[index], taken[position]];
        if (!query) continue;
        const isStale = query.ask === 'process' && repeated;
        repeated ||= answer !== undefined && 'again' in answer;
        answers.set(index, await settle(query, isStale ? (await askOnce([query]))[0] : answer));
      }
      return queries.flatMap((_, index) => answers.get(index) ?? []);
    },
    close: () => visit.close(),
  };
}

/**
 * Files go together: they then cost one stat and one cat on the node. Processes go after them: that one still runs then
 * shows that it did not restart while its files were read.
 */
function turnOf(query: Query | undefined): number {
  return query?.ask === 'process' ? 2 : query?.ask === 'file' ? 1 : 0;
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
