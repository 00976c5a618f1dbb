/**
 * The files through which one process asks another that works on a run: `RUNFOLDER/control/request-N-ID`, taken by renaming it
 * to `taken-N-ID`, answered in `answer-ID`. One rename or one unlink decides whether a request is carried out. Never trusts a file
 * that another user owns or could have written.
 */
import { constants } from 'node:fs';
import { join } from 'node:path';
import { cleanLine, escapeControls } from '../core/clean-text.js';
import type { ControlAct } from '../core/rollout.js';
import { openRegular } from './disk.js';
import type { RunHolder } from './holder.js';
import { holderText, parseHolder } from './holder.js';
import { isActShape } from './fact-shape.js';

const CONTROL_VERSION = 1;
const LARGEST_BYTES = 65_536;
const REQUEST = /^request-(\d{14}-[0-9a-f]{16})$/;
const ANSWER_CHARS = 2_000;

/** `from`: the process that waits for the answer. */
export interface ControlNote {
  readonly from: RunHolder;
  readonly act: ControlAct;
}

export interface ControlAnswer {
  readonly accepted: boolean;
  readonly text: string;
}

export function controlDirectory(runDirectory: string): string {
  return join(runDirectory, 'control');
}

/** Ids sort by the time at which they were made. */
export function idOfRequest(name: string): string | undefined {
  return REQUEST.exec(name)?.[1];
}

export function controlPaths(directory: string, id: string): { readonly request: string; readonly taken: string; readonly answer: string } {
  return { request: join(directory, `request-${id}`), taken: join(directory, `taken-${id}`), answer: join(directory, `answer-${id}`) };
}

export function noteText({ from, act }: ControlNote): string {
  return JSON.stringify({ v: CONTROL_VERSION, from: holderText(from), act });
}

/** In words why it cannot be carried out, for a text that is no request of this version. */
export function parseNote(text: string): ControlNote | string {
  const { v, from, act } = membersOf(text);
  if (typeof v === 'number' && v !== CONTROL_VERSION) return `it was asked in version ${v} of the language of requests; the process of the run knows version ${CONTROL_VERSION}`;
  const asker = typeof from === 'string' ? parseHolder(from) : undefined;
  if (v !== CONTROL_VERSION || asker === undefined) return 'the request is damaged';
  return isActShape(act) ? { from: asker, act: act as ControlAct } : 'the process of the run knows no such act';
}

export function answerText({ accepted, text }: ControlAnswer): string {
  return escapeControls(JSON.stringify({ v: CONTROL_VERSION, accepted, text: text.slice(0, ANSWER_CHARS) }));
}

export function parseAnswer(text: string): ControlAnswer | undefined {
  const { v, accepted, text: said } = membersOf(text);
  return v === CONTROL_VERSION && typeof accepted === 'boolean' && typeof said === 'string' ? { accepted, text: cleanLine(said) } : undefined;
}

function membersOf(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {};
  }
}

/** Throws for what is not a small regular file of ours alone. */
export async function readOwn(path: string): Promise<string> {
  const handle = await openRegular(path, constants.O_RDONLY);
  try {
    const { uid, mode, size } = await handle.stat();
    const self = process.geteuid?.();
    if (self !== undefined && uid !== self) throw new Error('of another user');
    if ((mode & 0o022) !== 0) throw new Error('others can write it');
    if (size > LARGEST_BYTES) throw new Error('too large');
    return (await handle.readFile()).toString('utf8');
  } finally {
    await handle.close();
  }
}
