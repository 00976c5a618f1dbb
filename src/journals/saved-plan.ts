/**
 * A plan in a file of its own. Written whole or not at all, for its owner alone: it holds the contents of files. Read as a stream;
 * refused when others could have written it, or when a single byte of it is not what was written.
 */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { access, open, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { FleetmendError } from '../core/failure.js';
import { planDigest } from '../core/plan-digest.js';
import type { SavedPlan } from '../core/saved-plan.js';
import { codeOf, replaceDurably } from './disk.js';
import { notWhole, PLAN_MARK, refused, savedPlanLines, SavedPlanReading } from './saved-plan-text.js';

/** By its first bytes, or by its name: a damaged FILE.plan is a damaged plan and no playbook. */
export async function isSavedPlan(file: string): Promise<boolean> {
  if (file.endsWith('.plan')) return true;
  return await startsAsPlan(file).catch(() => false);
}

/** Before the work of a whole fleet is done for it. Throws FleetmendError (badInput) where no plan could be written. */
export async function checkPlanPlace(file: string): Promise<void> {
  try {
    await refuseOtherFile(file);
    await access(dirname(resolve(file)), constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw diskError(file, 'written', cause);
  }
}

/** A sentence when others can read this plan; undefined when nobody else can, or when there is none. */
export async function planExposure(file: string): Promise<string | undefined> {
  const facts = await stat(file).catch(() => undefined);
  if (facts === undefined || (facts.mode & 0o044) === 0) return undefined;
  return `${file} holds the contents of files, and others can read it (mode ${modeText(facts.mode)}): chmod 0600 ${file}`;
}

/** In place of an earlier plan of that name, never of anything else. The digest is what the content says. */
export async function writeSavedPlan(file: string, saved: Omit<SavedPlan, 'digest'>): Promise<SavedPlan> {
  const whole: SavedPlan = { ...saved, digest: planDigest(saved) };
  try {
    await refuseOtherFile(file);
    await replaceDurably(resolve(file), savedPlanLines(whole));
    return whole;
  } catch (cause) {
    throw diskError(file, 'written', cause);
  }
}

/** Throws FleetmendError (badInput) with one clear sentence when the file must not be used. */
export async function readSavedPlan(file: string): Promise<SavedPlan> {
  const saved = await readWhole(file);
  if (planDigest(saved) === saved.digest) return saved;
  throw notWhole(file, 'its content does not have the digest that stands at its start');
}

async function readWhole(file: string): Promise<SavedPlan> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    await refuseExposed(file, handle);
    const reading = new SavedPlanReading(file);
    for await (const line of linesOf(file, handle)) reading.take(line);
    return reading.finish();
  } catch (cause) {
    throw diskError(file, 'read', cause);
  } finally {
    await handle?.close();
  }
}

async function refuseExposed(file: string, handle: FileHandle): Promise<void> {
  const facts = await handle.stat();
  if (!facts.isFile()) throw refused(file, 'not a regular file', 'name the file that `fleetmend plan -o` wrote');
  const self = process.geteuid?.();
  const remedy = `look at who could have changed it: a plan that is right is made yours alone by chown and chmod 0600 ${file}`;
  if (self !== undefined && facts.uid !== self && facts.uid !== 0) throw refused(file, `this plan is not used: it belongs to user ${facts.uid}, not to you (${self})`, remedy);
  if ((facts.mode & 0o022) !== 0) throw refused(file, `this plan is not used: others can write it (mode ${modeText(facts.mode)})`, remedy);
}

function modeText(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}

/** A host with more than this was never planned by us. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** Each with its newline; the last one perhaps without. */
async function* linesOf(file: string, handle: FileHandle): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let held = 0;
  for await (const chunk of handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      yield Buffer.concat([...pieces, chunk.subarray(start, end + 1)]);
      pieces = [];
      held = 0;
      start = end + 1;
    }
    if (start === chunk.length) continue;
    pieces.push(chunk.subarray(start));
    held += chunk.length - start;
    if (held > MAX_LINE_BYTES) throw notWhole(file, 'it has a line that no plan has');
  }
  if (pieces.length > 0) yield Buffer.concat(pieces);
}

/** A playbook that was named by mistake must not be lost. */
async function refuseOtherFile(file: string): Promise<void> {
  const facts = await stat(file).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw cause;
  });
  if (facts === undefined) return;
  const mine = facts.isFile() && (facts.size === 0 || (await startsAsPlan(file)));
  if (!mine) throw refused(file, 'there is something else of that name, and it is no plan', `name another file, or remove ${basename(file)} first`);
}

async function startsAsPlan(file: string): Promise<boolean> {
  // A pipe is no plan, and must not be waited for.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) return false;
    const start = Buffer.alloc(PLAN_MARK.length);
    await handle.read(start, 0, start.length, 0);
    return start.toString('latin1') === PLAN_MARK;
  } finally {
    await handle.close();
  }
}

function diskError(file: string, act: 'read' | 'written', cause: unknown): FleetmendError {
  if (cause instanceof FleetmendError) return cause;
  if (codeOf(cause) === 'ENOENT') return new FleetmendError({ kind: 'badInput', summary: act === 'read' ? `${file}: there is no such file` : `${file}: its folder does not exist` }, { cause });
  return new FleetmendError({ kind: 'badInput', summary: `${file} cannot be ${act}: ${cause instanceof Error ? cause.message : String(cause)}` }, { cause });
}
