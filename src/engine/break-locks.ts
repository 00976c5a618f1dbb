/** Looks at the locks of nodes, and takes away those that a person names. Never takes one that changed hands since it was shown. */
import type { Failure } from '../core/failure.js';
import { FleetmendError, failureOf } from '../core/failure.js';
import type { Host } from '../core/host.js';
import type { Clock, Connector, ReadSession } from '../core/ports.js';
import type { LockAnswer } from '../core/query.js';
import { ask } from '../core/query.js';
import { answerQuestions } from './answer-questions.js';
import { failureFrom } from './effect-failure.js';
import { mapLimited } from './limit.js';
import { FIRST_CONTACT, reach } from './reach.js';
import { readVisit } from './read-visit.js';

export interface LockPorts {
  readonly connector: Connector;
  readonly clock: Clock;
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

export type Locked = { readonly host: Host } & (
  | { readonly lock: LockAnswer; readonly failure?: undefined }
  | { readonly lock?: undefined; readonly failure: Failure }
);

/** Over connections that cannot write. */
export async function lookAtLocks(hosts: readonly Host[], ports: LockPorts): Promise<Locked[]> {
  return await mapLimited(hosts, ports.concurrency, async (host) => {
    try {
      return { host, lock: await readVisit(host, ports, (session) => lockOf(session, ports.clock)) };
    } catch (thrown) {
      return { host, failure: failureOf(thrown) };
    }
  });
}

async function lockOf(session: ReadSession, clock: Clock): Promise<LockAnswer> {
  const [lock] = await answerQuestions(ask({ ask: 'lock' } as const), session, clock);
  if (!lock.ok) throw new FleetmendError({ kind: 'denied', summary: `the lock could not be looked at: ${lock.detail}` });
  return lock.value;
}

/** Breaks the locks as they were shown. */
export async function breakLocks(held: readonly Locked[], ports: LockPorts): Promise<{ readonly host: Host; readonly failure?: Failure }[]> {
  return await mapLimited(held, ports.concurrency, async ({ host, lock }) => {
    if (lock?.held !== true) return { host };
    try {
      await breakLock(host, lock.session, ports);
      return { host };
    } catch (thrown) {
      return { host, failure: failureOf(thrown) };
    }
  });
}

async function breakLock(host: Host, session: string, ports: LockPorts): Promise<void> {
  const visit = await reach(host, () => ports.connector.openToWrite(host, ports.signal), FIRST_CONTACT, ports);
  try {
    const result = await visit.perform({ do: 'breakLock', session });
    if (!result.ok) throw new FleetmendError(failureFrom('unlock', result));
  } finally {
    await visit.close();
  }
}
