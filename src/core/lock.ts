/** What the lock of a node means for a run: free, or not, and then whom to ask. Pure; the node itself decides who gets it. */
import type { Failure } from './failure.js';
import { forPeople } from './duration-text.js';
import type { LockAnswer } from './query.js';

/**
 * Silence after which a lock is stale. A living holder is heard with every request; its longest silence is a restart
 * (at most 4 min) whose connection is lost, and the patience until it is back.
 */
export const LOCK_STALE_AFTER_MS = 480_000;

type Held = Extract<LockAnswer, { held: true }>;

export type LockVerdict =
  | { readonly free: true; readonly note?: string }
  | { readonly free: false; readonly failure: Failure };

/** May `run` take this node? A lock of its own is no obstacle: it takes it over. */
export function judgeLock(lock: LockAnswer, run: string): LockVerdict {
  if (lock.armed !== undefined && lock.armed !== run) return { free: false, failure: otherGuard(lock.armed) };
  if (!lock.held || lock.run === run) return { free: true };
  if (lock.silentForMs <= lock.staleAfterMs) return { free: false, failure: heldNow(lock) };
  if (lock.guard === 'armed' || lock.guard === 'firing') return { free: false, failure: guardPending(lock) };
  if (lock.touched && !(lock.guard === 'fired' && lock.guardOk === true)) return { free: false, failure: leftInTheMiddle(lock) };
  return { free: true, note: `a stale lock of ${holderOf(lock)}, silent for ${forPeople(lock.silentForMs)}, will be taken over` };
}

/** "run R of alice@laptop". */
export function holderOf(lock: Held): string {
  return lock.run === '' ? 'an unnamed run' : `run ${lock.run} of ${lock.who}`;
}

/** One line on who holds a node, since when, and how it stands. */
export function describeLock(lock: Held): string {
  const guard = lock.guard === 'armed' || lock.guard === 'firing' ? `; its guard is ${lock.guard === 'armed' ? 'armed and will put' : 'putting'} the old state back` : '';
  const middle = `${lock.touched ? '; it has begun to change this node' : ''}${guard}`;
  return `locked by ${holderOf(lock)} for ${forPeople(lock.heldForMs)}, last sign of life ${forPeople(lock.silentForMs)} ago${middle}`;
}

/** Nobody need hold a node for its guard to fire. */
function otherGuard(run: string): Failure {
  return {
    kind: 'locked',
    summary: `the guard of run ${run} is armed on this node: it will put back what that run changed`,
    done: 'nothing was touched',
    next: `wait for it, or \`fleetmend resume ${run}\` where that run was started`,
  };
}

function heldNow(lock: Held): Failure {
  return {
    kind: 'locked',
    summary: describeLock(lock),
    done: 'nothing was touched',
    next: `wait for that run or ask ${lock.who === '' ? 'its owner' : lock.who}; the lock is stale after ${forPeople(lock.staleAfterMs)} of silence`,
  };
}

function guardPending(lock: Held): Failure {
  return {
    kind: 'locked',
    summary: describeLock(lock),
    done: 'nothing was touched',
    next: `wait for the guard, or \`fleetmend resume ${lock.run}\` where that run was started`,
  };
}

function leftInTheMiddle(lock: Held): Failure {
  return {
    kind: 'locked',
    summary: `${describeLock(lock)} and left it in the middle`,
    done: 'nothing was touched',
    next: `\`fleetmend resume ${lock.run}\` or \`fleetmend undo ${lock.run}\` where that run was started; \`fleetmend unlock\` breaks the lock`,
  };
}
