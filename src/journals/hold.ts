/**
 * Holds a run's folder for one process. The holder is the file `holder-N` with the highest N: numbers only grow, and the
 * creation of N + 1, by link(2), decides who comes after N, so two can never both follow the same one that is gone.
 * Never waits, and never takes the place of a process that lives.
 */
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { FleetmendError } from '../core/failure.js';
import { codeOf, createDurably, readRegular, replaceDurably, unlinkIfThere } from './disk.js';
import type { RunHolder } from './holder.js';
import { describeHolder, holderText, identify, lifeOf, lockedError, parseHolder } from './holder.js';

const ROUNDS = 100;

export interface Hold {
  /** Whose place was taken, and why that was right; absent when nobody had it. */
  readonly remark?: string;
  /** Safe to call twice. */
  release(): Promise<void>;
}

/** What the newest holder file says. `unreadable`: it is no holder's text. */
interface HolderFile {
  readonly number: number;
  readonly holder: RunHolder | 'unreadable';
}

/** Throws FleetmendError (locked) when a process of this machine holds the run. */
export async function holdRun(directory: string, run: string, by: string, now: Date): Promise<Hold> {
  const self = await identify(by, now.toISOString());
  for (let round = 0; round < ROUNDS; round++) {
    const newest = await newestHolder(directory);
    const remark = newest === undefined ? undefined : await judge(run, newest);
    const number = (newest?.number ?? 0) + 1;
    if (!(await take(directory, number, self))) continue;
    await removeOlder(directory, number);
    return {
      ...(remark === undefined ? {} : { remark }),
      release: () => release(pathOf(directory, number), self),
    };
  }
  throw new FleetmendError({ kind: 'locked', summary: `run ${run} is wanted by many processes at once`, done: 'nothing was touched', next: 'say this again' });
}

/** The number stays taken; a folder that was removed meanwhile is held by nobody. */
async function release(path: string, self: RunHolder): Promise<void> {
  try {
    await replaceDurably(path, [holderText({ ...self, released: true })]);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** The living process that works on the run now, as far as this machine can tell. */
export async function livingHolder(directory: string): Promise<RunHolder | undefined> {
  const newest = await newestHolder(directory);
  if (newest === undefined || newest.holder === 'unreadable' || newest.holder.released) return undefined;
  return (await lifeOf(newest.holder)) === 'alive' ? newest.holder : undefined;
}

/** Why the place may be taken, in words worth saying; throws when it may not. */
async function judge(run: string, { holder }: HolderFile): Promise<string | undefined> {
  if (holder === 'unreadable') return 'the holder file of this run could not be read and was put aside';
  if (holder.released) return undefined;
  switch (await lifeOf(holder)) {
    case 'alive':
      throw lockedError(run, holder);
    case 'gone':
      return `taken over from ${describeHolder(holder)}, which is gone`;
    case 'elsewhere':
      return `taken over from ${describeHolder(holder)}: this machine cannot see whether it still works; if it does, the journal and the locks on the nodes keep you apart`;
  }
}

async function take(directory: string, number: number, self: RunHolder): Promise<boolean> {
  try {
    await createDurably(pathOf(directory, number), [holderText(self)]);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  // Whoever looked long ago may have made a number that was cleared away since: only the highest counts.
  if (Math.max(...(await numbersIn(directory))) === number) return true;
  await unlinkIfThere(pathOf(directory, number));
  return false;
}

async function newestHolder(directory: string): Promise<HolderFile | undefined> {
  for (let round = 0; round < ROUNDS; round++) {
    const number = Math.max(0, ...(await numbersIn(directory)));
    if (number === 0) return undefined;
    try {
      const text = await readRegular(pathOf(directory, number));
      return { number, holder: parseHolder(text.toString('utf8')) ?? 'unreadable' };
    } catch (error) {
      // Cleared away by a newer one: look again. Anything else that lies there is no holder.
      if (codeOf(error) !== 'ENOENT') return { number, holder: 'unreadable' };
    }
  }
  return undefined;
}

async function numbersIn(directory: string): Promise<number[]> {
  return (await readdir(directory)).flatMap((name) => {
    const digits = /^holder-([1-9]\d{0,8})$/.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
}

async function removeOlder(directory: string, than: number): Promise<void> {
  for (const number of await numbersIn(directory)) {
    if (number < than) await unlink(pathOf(directory, number)).catch(() => undefined);
  }
}

function pathOf(directory: string, number: number): string {
  return join(directory, `holder-${number}`);
}
