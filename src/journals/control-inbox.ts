/**
 * Where a process that works on a run hears what other terminals ask of it. What lies there when it takes charge is of the past
 * and is put away; afterwards a request is carried out only while the process that asked lives and waits, and what is taken and not carried
 * out is answered with why. Never fails a run: where
 * the folder cannot be used, `remark` says so and nothing is heard.
 */
import type { FSWatcher } from 'node:fs';
import { lstatSync, mkdirSync, readdirSync, rmSync, watch } from 'node:fs';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlRequest, Controls } from '../core/ports.js';
import type { ControlNote } from './control-files.js';
import { answerText, controlDirectory, controlPaths, idOfRequest, parseNote, readOwn } from './control-files.js';
import { codeOf, exposureOfFacts, replaceDurably, unlinkIfThere } from './disk.js';
import { lifeOf } from './holder.js';

/** fs.watch tells at once where it works; where it does not, this is how long a request may lie unseen. */
const POLL_MS = 500;

export interface ControlInbox extends Controls {
  /** Why nothing can be heard. */
  readonly remark?: string;
  /** Answers what nobody has taken, and settles when every answer is on the disk. */
  close(): Promise<void>;
}

/** `runDirectory`: of a run that this process holds. */
export function createControlInbox(runDirectory: string): ControlInbox {
  const directory = controlDirectory(runDirectory);
  try {
    prepare(directory);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { remark: `requests of other terminals are not heard: ${directory}: ${why}`, listen: () => () => undefined, close: () => Promise.resolve() };
  }
  return openInbox(directory);
}

/** Before anything is heard, and in one go: what comes later is of now. */
function prepare(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  const exposure = exposureOfFacts(lstatSync(directory));
  if (exposure !== undefined) throw new Error(exposure);
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true });
}

function openInbox(directory: string): ControlInbox {
  const takers = new Set<(request: ControlRequest) => void>();
  const answers = new Set<Promise<void>>();
  let scan: Promise<void> = Promise.resolve();
  let again = false;

  const answer = (id: string, note: ControlNote, accepted: boolean, text: string): void => {
    const written = writeAnswer(directory, id, note, { accepted, text }).catch(() => undefined).finally(() => { answers.delete(written); });
    answers.add(written);
  };
  const deliver = (id: string, note: ControlNote): void => {
    const [taker] = takers;
    if (taker === undefined) {
      answer(id, note, false, 'the rollout of this run has ended');
      return;
    }
    let answered = false;
    taker({
      by: note.from.by, act: note.act,
      answer: (accepted, text) => {
        if (!answered) answer(id, note, accepted, text);
        answered = true;
      },
    });
  };
  const lookOnce = async (): Promise<void> => {
    for (const name of (await readdir(directory).catch(() => [])).sort()) {
      const id = idOfRequest(name);
      const taken = id === undefined ? undefined : await takeRequest(directory, id);
      if (id === undefined || taken === undefined) continue;
      if ('refused' in taken) await replaceDurably(controlPaths(directory, id).answer, [answerText({ accepted: false, text: taken.refused })]).catch(() => undefined);
      else deliver(id, taken);
    }
  };
  /** One look at a time: two would take the order out of requests. */
  const look = (): void => {
    if (again) return;
    again = true;
    scan = scan.then(() => {
      again = false;
      return lookOnce();
    });
  };
  const watcher = watchQuietly(directory, () => { if (takers.size > 0) look(); });
  const timer = setInterval(() => { if (takers.size > 0) look(); }, POLL_MS);
  timer.unref();
  return {
    listen: (take) => {
      takers.add(take);
      look();
      return () => { takers.delete(take); };
    },
    close: async () => {
      clearInterval(timer);
      watcher?.close();
      takers.clear();
      look();
      await scan;
      await Promise.all(answers);
    },
  };
}

/** The rename decides against the one who asked and gives up. `refused`: why it is not carried out; it is put away. Undefined when it is gone. */
async function takeRequest(directory: string, id: string): Promise<ControlNote | { readonly refused: string } | undefined> {
  const { request, taken } = controlPaths(directory, id);
  try {
    await rename(request, taken);
  } catch {
    return undefined;
  }
  try {
    const note = parseNote(await readOwn(taken));
    if (typeof note === 'string') return { refused: note };
    return (await lifeOf(note.from)) === 'alive' ? note : { refused: 'the process that asked is gone, or cannot be seen from that of the run' };
  } catch (error) {
    return { refused: `the request cannot be used: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    await unlinkIfThere(taken).catch(() => undefined);
  }
}

/** Nobody is left to read the answer of one who is gone. */
async function writeAnswer(directory: string, id: string, note: ControlNote, said: { accepted: boolean; text: string }): Promise<void> {
  if ((await lifeOf(note.from)) === 'alive') await replaceDurably(controlPaths(directory, id).answer, [answerText(said)]);
}

/** Undefined where the system has none to give. */
function watchQuietly(directory: string, look: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { persistent: false }, look);
    watcher.on('error', () => { watcher.close(); });
    return watcher;
  } catch {
    return undefined;
  }
}
