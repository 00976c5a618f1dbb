/**
 * What a visit can do for the engine: ask, and (only when it was opened to write) perform. Turns
 * questions into request lines and answers back into data; repeats what changed while it was read.
 * Never sends an effect to a shell that has not answered yet.
 */
import { isRunName } from '../core/run-name.js';
import { FleetmendError } from '../core/failure.js';
import type { Effect, EffectResult, Holder } from '../core/effect.js';
import type { ReadSession, WriteSession } from '../core/ports.js';
import type { Answer, Query } from '../core/query.js';
import { decodeAnswers, decodeResult, refusedCommand, type TakenAnswer } from './answers.js';
import { isPersonName, isSessionName } from './names.js';
import { encodeRequest, type Request } from './requests.js';
import type { Visit } from './visit.js';
import { malformed } from './words.js';

/** How often a file is read before it is said to be changing. */
const TRIES = 3;
/** How many times the limit of one exchange all repetitions of one question may take together. */
const REPEATS_TIMES_LIMIT = 2;
/** All answers of a visit together; one is at most FRAME_LIMIT_BYTES. What an audit reads has some hundred KiB. */
export const ANSWERS_LIMIT_BYTES = 32 * 1024 * 1024;
/** A visit that watches over a node for hours may hear more. */
const ANSWER_BYTES_A_SECOND = 64 * 1024;

interface Exchange {
  /** In turn: the node works at one request at a time. */
  send(body: Request['body'], extraMs: number): Promise<Uint8Array>;
  hasAnswered(): boolean;
}

function createExchange(visit: Visit, operationTimeoutMs: number): Exchange {
  const openedMs = performance.now();
  let turn: Promise<unknown> = Promise.resolve();
  let answered = false;
  let answeredBytes = 0;
  const exchange = async (body: Request['body'], extraMs: number): Promise<Uint8Array> => {
    const stream = await visit.exchange((seq) => encodeRequest({ nonce: visit.nonce, seq, body }), operationTimeoutMs + extraMs);
    answeredBytes += stream.length;
    if (answeredBytes > ANSWERS_LIMIT_BYTES + ((performance.now() - openedMs) / 1000) * ANSWER_BYTES_A_SECOND) throw malformed('all its answers together are too large');
    return stream;
  };
  return {
    hasAnswered: () => answered,
    send(body, extraMs) {
      const answer = turn.then(() => exchange(body, extraMs));
      turn = answer.then(() => { answered = true; }, () => undefined);
      return answer;
    },
  };
}

/** `refuse`: of a visit without a root shell; makes the failure of a command that the node's sudo did not allow. */
export function createReadSession(visit: Visit, operationTimeoutMs: number, refuse?: (command: string) => FleetmendError): ReadSession {
  return readingPart(visit, createExchange(visit, operationTimeoutMs), operationTimeoutMs, refuse);
}

export function createWriteSession(visit: Visit, operationTimeoutMs: number, guardProgram: string): WriteSession {
  const exchange = createExchange(visit, operationTimeoutMs);
  const reading = readingPart(visit, exchange, operationTimeoutMs);
  return {
    ...reading,
    async perform(effect) {
      refuseBadEffect(effect);
      // The node orders visits by the start of their shells. Behind a sudo that hangs the shell would start when the
      // controller has long gone on to a later visit; so no effect waits in its input before it is known to be there.
      if (!exchange.hasAnswered()) await reading.ask([{ ask: 'capability' }]);
      const stream = await exchange.send({ kind: 'perform', effect, ...(effect.do === 'arm' ? { program: guardProgram } : {}) }, patienceOf(effect));
      return decodeResult(visit.nonce, stream) satisfies EffectResult;
    },
  };
}

/** Arming and disarming wait for systemd several times, with a limit of their own each time. */
const SYSTEMD_PATIENCE_MS = 60_000;

function patienceOf(effect: Effect): number {
  if (effect.do === 'arm' || effect.do === 'disarm') return SYSTEMD_PATIENCE_MS;
  return 'timeoutMs' in effect ? effect.timeoutMs : 0;
}

function readingPart(visit: Visit, exchange: Exchange, operationTimeoutMs: number, refuse?: (command: string) => FleetmendError): ReadSession {
  const askOnce = async (queries: readonly Query[]): Promise<TakenAnswer[]> => {
    if (queries.length === 0) return [];
    const waitMs = queries.reduce((sum, query) => sum + (query.ask === 'http' ? query.timeoutMs : 0), 0);
    const stream = await exchange.send({ kind: 'ask', queries }, waitMs);
    const command = refuse && refusedCommand(visit.nonce, stream);
    if (refuse && command !== undefined) throw refuse(command);
    const answers = decodeAnswers(visit.nonce, queries, stream);
    return refuse ? answers.map(inScope) : answers;
  };
  const settle = async (query: Query, answer: TakenAnswer | undefined, untilMs: number): Promise<Answer> => {
    let last = answer;
    for (let tries = 1; last && 'again' in last && tries < TRIES && performance.now() < untilMs; tries += 1) [last] = await askOnce([query]);
    if (last && !('again' in last)) return last;
    return { ok: false, ask: 'file', reason: 'changing', detail: `${query.ask === 'file' ? query.path : ''}: changed while it was read, ${TRIES} times` };
  };
  return {
    hostKey: visit.hostKey,
    async ask(queries) {
      const refusals = queries.map(refusalOf);
      const order = queries.map((_, index) => index).filter((index) => !refusals[index]);
      order.sort((a, b) => turnOf(queries[a]) - turnOf(queries[b]));
      const untilMs = performance.now() + REPEATS_TIMES_LIMIT * operationTimeoutMs;
      const taken = await askOnce(order.flatMap((index) => queries[index] ?? []));
      const answers = new Map<number, Answer | undefined>(refusals.entries());
      let repeated = false;
      for (const [position, index] of order.entries()) {
        const [query, answer] = [queries[index], taken[position]];
        if (!query) continue;
        const isStale = query.ask === 'process' && repeated;
        repeated ||= answer !== undefined && 'again' in answer;
        answers.set(index, await settle(query, isStale ? (await askOnce([query]))[0] : answer, untilMs));
      }
      return queries.flatMap((_, index) => answers.get(index) ?? []);
    },
    close: () => visit.close(),
  };
}

/** Who asks must not take the login's uid for the end of what this visit can see. */
function inScope(answer: TakenAnswer): TakenAnswer {
  return 'ok' in answer && answer.ok && answer.ask === 'capability' ? { ...answer, value: { ...answer.value, scope: 'commands' } } : answer;
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
  const bad = text.includes('\0') || (text === '' && query.ask !== 'capability' && query.ask !== 'lock');
  const relative = (query.ask === 'file' || query.ask === 'directory' || query.ask === 'writable' || query.ask === 'version') && !text.startsWith('/');
  const noRun = query.ask === 'guard' && !isRunName(text);
  const noUrl = query.ask === 'http' && !/^https?:\/\/[!-~]+$/.test(text);
  if (!bad && !relative && !noUrl && !noRun) return undefined;
  return { ok: false, ask: query.ask, reason: 'failed', detail: `${JSON.stringify(text)} is not ${noUrl ? 'a URL' : relative ? 'an absolute path' : 'a name'}` };
}

function subjectOf(query: Query): string {
  switch (query.ask) {
    case 'capability':
    case 'lock':
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
    case 'guard':
      return query.run;
  }
}

function refuseBadEffect(effect: Effect): void {
  const run = effect.do === 'lock' ? effect.holder.run : effect.do === 'breakLock' ? undefined : effect.run;
  const edits = effect.do === 'edit' || effect.do === 'restore' ? [effect.edit] : effect.do === 'arm' ? effect.order.restores.map((one) => one.edit) : [];
  if (run !== undefined && !isRunName(run)) throw badInput('the name of a run', run);
  for (const { path } of edits) if (!path.startsWith('/')) throw badInput('an absolute path', path);
  if (effect.do === 'breakLock' && effect.session !== '' && !isSessionName(effect.session)) throw badInput('the name of a session', effect.session);
  if (effect.do === 'lock') refuseBadHolder(effect.holder);
}

function refuseBadHolder({ who, session, staleAfterMs }: Holder): void {
  if (!isSessionName(session)) throw badInput('the name of a session', session);
  if (!isPersonName(who)) throw badInput('a name of a person', who);
  if (!Number.isInteger(staleAfterMs) || staleAfterMs < 0) throw badInput('a time in whole milliseconds', String(staleAfterMs));
}

function badInput(expected: string, got: string): FleetmendError {
  return new FleetmendError({ kind: 'badInput', summary: `not ${expected}: ${JSON.stringify(got)}` });
}
