/**
 * The connector as everything behind it knows it: passwords and passphrases are taken out of every failure and of every answer in a
 * node's own words, before a journal, a plan or a screen gets them. Contents of files stay as they are: they are data to be restored.
 */
import type { EffectResult } from '../core/effect.js';
import type { Failure } from '../core/failure.js';
import { failureOf, FleetmendError } from '../core/failure.js';
import type { Connector, ReadSession } from '../core/ports.js';
import type { Answer } from '../core/query.js';

type Hide = (text: string) => string;

export function hideInFailures(connector: Connector, hide: Hide): Connector {
  return {
    openToRead: async (host, signal) => readingPart(await hidden(connector.openToRead(host, signal), hide), hide),
    openToWrite: async (host, signal) => {
      const session = await hidden(connector.openToWrite(host, signal), hide);
      return { ...readingPart(session, hide), perform: async (effect) => hideInResult(await hidden(session.perform(effect), hide), hide) };
    },
  };
}

function readingPart(session: ReadSession, hide: Hide): ReadSession {
  return {
    hostKey: session.hostKey,
    ask: async (queries) => (await hidden(session.ask(queries), hide)).map((answer) => hideInAnswer(answer, hide)),
    close: () => hidden(session.close(), hide),
  };
}

/** What has nothing to hide is thrown as it is. */
async function hidden<T>(work: Promise<T>, hide: Hide): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    const failure = failureOf(thrown);
    const shown = hideInFailure(failure, hide);
    throw isSame(failure, shown) ? thrown : new FleetmendError(shown);
  }
}

function hideInFailure(failure: Failure, hide: Hide): Failure {
  const { summary, detail, done, next } = failure;
  return {
    ...failure, summary: hide(summary),
    ...(detail === undefined ? {} : { detail: hide(detail) }),
    ...(done === undefined ? {} : { done: hide(done) }),
    ...(next === undefined ? {} : { next: hide(next) }),
  };
}

function isSame(one: Failure, other: Failure): boolean {
  return one.summary === other.summary && one.detail === other.detail && one.done === other.done && one.next === other.next;
}

/** What only people read. What decisions rest on is not touched: it has to be what the node said. */
function hideInAnswer(answer: Answer, hide: Hide): Answer {
  if (!answer.ok) return { ...answer, detail: hide(answer.detail) };
  switch (answer.ask) {
    case 'status':
      return { ...answer, value: { ...answer.value, text: hide(answer.value.text) } };
    case 'guard':
      return answer.value.report === undefined ? answer : { ...answer, value: { ...answer.value, report: hide(answer.value.report) } };
    case 'writable':
      return answer.value.writable ? answer : { ...answer, value: { ...answer.value, detail: hide(answer.value.detail) } };
    default:
      return answer;
  }
}

function hideInResult(result: EffectResult, hide: Hide): EffectResult {
  return result.detail === undefined ? result : { ...result, detail: hide(result.detail) };
}
