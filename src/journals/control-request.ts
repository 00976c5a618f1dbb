/** Asks the process that works on a run for something, and waits a stated time for its answer. Never leaves a request behind that could be carried out later. */
import { randomBytes } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlAct } from '../core/rollout.js';
import type { ControlAnswer } from './control-files.js';
import { controlDirectory, controlPaths, noteText, parseAnswer, readOwn } from './control-files.js';
import { codeOf, createDurably, unlinkIfThere } from './disk.js';
import { identify } from './holder.js';

export const ANSWER_WITHIN_MS = 10_000;
const POLL_MS = 50;
/** Polls between two looks at whether anybody is left to answer. */
const LOOK_EVERY = 10;

/** `withdrawn`: nobody took it, and nobody will. `unknown`: it was taken, and no answer came in time. `deaf`: nobody listens there. */
export type ControlReply = { readonly how: 'answered' } & ControlAnswer | { readonly how: 'withdrawn' | 'unknown' | 'deaf' };

export interface Patience {
  readonly withinMs?: number;
  /** False once nobody is left who could answer: then there is nothing to wait for. */
  readonly isServed?: () => Promise<boolean>;
}

export async function requestControl(runDirectory: string, by: string, act: ControlAct, now: Date, patience: Patience = {}): Promise<ControlReply> {
  const id = `${String(now.getTime()).padStart(14, '0')}-${randomBytes(8).toString('hex')}`;
  const paths = controlPaths(controlDirectory(runDirectory), id);
  try {
    await createDurably(paths.request, [noteText({ from: await identify(by, now.toISOString()), act })]);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { how: 'deaf' };
    throw error;
  }
  let reply = await waitForReply(paths.answer, patience);
  if (reply === undefined && (await withdraw(paths.request))) return { how: 'withdrawn' };
  // It may have come between the last look and now.
  reply ??= await readReply(paths.answer);
  await unlinkIfThere(paths.answer);
  return reply ?? { how: 'unknown' };
}

async function waitForReply(path: string, { withinMs = ANSWER_WITHIN_MS, isServed }: Patience): Promise<ControlReply | undefined> {
  const until = performance.now() + withinMs;
  for (let round = 1; ; round++) {
    const reply = await readReply(path);
    if (reply !== undefined || performance.now() >= until) return reply;
    if (round % LOOK_EVERY === 0 && isServed !== undefined && !(await isServed())) return undefined;
    await sleep(POLL_MS);
  }
}

async function readReply(path: string): Promise<ControlReply | undefined> {
  try {
    const answer = parseAnswer(await readOwn(path));
    return answer === undefined ? undefined : { how: 'answered', ...answer };
  } catch {
    return undefined;
  }
}

/** True when it was still there: then it is gone for good. */
async function withdraw(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
