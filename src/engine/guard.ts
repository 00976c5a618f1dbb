/**
 * What the engine does about the guard of a run on a node: arms it, ends it, and finds out whether it has fired. The
 * deciding is the node's: one rename there says who was first.
 */
import type { Effect } from '../core/effect.js';
import { guardOrder } from '../core/guard.js';
import type { HostFact } from '../core/journal.js';
import type { HostPlan } from '../core/plan.js';
import type { Clock, ReadSession, WriteSession } from '../core/ports.js';
import { ask } from '../core/query.js';
import { answerQuestions } from './answer-questions.js';
import { failureFrom } from './effect-failure.js';

export interface GuardPorts {
  readonly run: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

const LOOK_EVERY_MS = 1_000;
const DISARM_ATTEMPTS = 3;
/** On top of what its activations may take: for the files, and for a slow node. */
const FIRING_MARGIN_MS = 60_000;

export async function armGuard(plan: HostPlan, deadlineMs: number, session: WriteSession, ports: GuardPorts): Promise<HostFact> {
  const effect: Effect = { do: 'arm', run: ports.run, order: guardOrder(plan, deadlineMs) };
  const result = await session.perform(effect);
  if (result.ok) return { type: 'armed', deadlineMs };
  const fired = result.reason === 'guardFired' ? await firedFact(plan, session, ports) : undefined;
  return fired ?? { type: 'armFailed', effect: result.effect, failure: failureFrom('arm the guard', result) };
}

/** Tried a few times: what hangs on it is whether this node stays as it was proved to be. */
export async function disarmGuard(plan: HostPlan, session: WriteSession, ports: GuardPorts): Promise<HostFact> {
  for (let attempt = 1; ; attempt++) {
    const result = await session.perform({ do: 'disarm', run: ports.run });
    if (result.ok) return { type: 'disarmed' };
    const found = (await firedFact(plan, session, ports)) ?? (await isHarmless(session, ports) ? ({ type: 'disarmed' } as const) : undefined);
    if (found !== undefined) return found;
    if (attempt >= DISARM_ATTEMPTS) return { type: 'disarmFailed', failure: failureFrom('tell the guard that all is well', result) };
    await ports.clock.sleep(LOOK_EVERY_MS, ports.signal);
  }
}

/** No guard that was never armed, or whose files somebody removed, can fire. */
async function isHarmless(session: WriteSession, ports: GuardPorts): Promise<boolean> {
  const [guard] = await answerQuestions(ask({ ask: 'guard', run: ports.run } as const), session, ports.clock);
  return guard.ok && (guard.value.state === 'none' || guard.value.state === 'disarmed');
}

/** The fact that the guard has fired, once it is through; undefined when it has not. */
export async function firedFact(plan: HostPlan, session: ReadSession, ports: GuardPorts): Promise<HostFact | undefined> {
  const limitMs = firingLimitMs(plan);
  const startedMs = ports.clock.monotonicMs();
  for (;;) {
    const [guard] = await answerQuestions(ask({ ask: 'guard', run: ports.run } as const), session, ports.clock);
    if (!guard.ok) return undefined;
    const { state, ok = false, report = '' } = guard.value;
    if (state === 'fired') return { type: 'guardFired', ok, detail: report };
    if (state !== 'firing') return undefined;
    if (ports.clock.monotonicMs() - startedMs >= limitMs) return { type: 'guardFired', ok: false, detail: 'the guard began to put the old state back and has not ended' };
    ports.say('the guard on the node is putting the old state back');
    await ports.clock.sleep(LOOK_EVERY_MS, ports.signal);
  }
}

function firingLimitMs(plan: HostPlan): number {
  return plan.steps.reduce((sum, step) => sum + (step.phase === 'activate' ? step.activation.timeoutMs : 0), FIRING_MARGIN_MS);
}
