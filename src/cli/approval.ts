/** A yes that is bound to one plan: by the plan's digest on the command line, or in a file that `fleetmend approve` writes. */
import { open, stat } from 'node:fs/promises';
import type { Digest } from '../core/bytes.js';
import { cleanLine } from '../core/clean-text.js';
import { FleetmendError } from '../core/failure.js';
import { quoteText } from '../core/input-error.js';
import { readTextFile } from '../sources/index.js';
import { badInput } from './bad-input.js';
import { systemClock } from './system-clock.js';
import { whoAmI } from './who.js';

export interface ApprovalChoices {
  readonly approve?: string | undefined;
  readonly approvalFile?: string | undefined;
}

export interface Approval {
  readonly digest: Digest;
  /** `alice@laptop`. */
  readonly by: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** Options for yargs. */
export const APPROVE_OPTIONS = {
  approve: { type: 'string', requiresArg: true, describe: 'the digest of the plan that was approved, in full or its first 32 characters or more: any other plan is refused' },
  'approval-file': { type: 'string', requiresArg: true, describe: 'the approval that `fleetmend approve` wrote: any other plan is refused' },
} as const;

/** With fewer, two plans that share them could be made on purpose: one to be approved, one to be done. */
const MIN_DIGEST_CHARACTERS = 32;
const DIGEST_CHARACTERS = 64;

/** What a printed command says behind `--approve`. */
export function approvalWord(digest: Digest): string {
  return digest.slice(0, MIN_DIGEST_CHARACTERS);
}

/** A yes as it was given; not yet held against a plan. */
export interface GivenApproval {
  readonly word?: string;
  readonly file?: { readonly name: string; readonly approval: Approval };
}

/** Of the person at this command line. */
export function yesNow(digest: Digest): Approval {
  return { digest, by: whoAmI(), at: systemClock.now().toISOString() };
}

/** Throws badInput for what cannot be a yes to any plan. Undefined when none was given. */
export async function readApproval({ approve, approvalFile }: ApprovalChoices): Promise<GivenApproval | undefined> {
  if (approve !== undefined) checkWord(approve);
  if (approvalFile === undefined) return approve === undefined ? undefined : { word: approve };
  const file = { name: approvalFile, approval: await readApprovalFile(approvalFile) };
  return { file, ...(approve === undefined ? {} : { word: approve }) };
}

/** Throws badInput when a yes was given to another plan. Says who gave it: for the command line who typed it; undefined when none was given. */
export function bindApproval(given: GivenApproval | undefined, digest: Digest): Approval | undefined {
  if (given === undefined) return undefined;
  const { word, file } = given;
  if (word !== undefined && !digest.startsWith(word)) throw otherPlan(`--approve ${word} is a yes to another plan`, digest);
  if (file === undefined) return yesNow(digest);
  if (file.approval.digest === digest) return file.approval;
  throw otherPlan(`${file.name} approves the plan ${approvalWord(file.approval.digest)}`, digest);
}

function checkWord(approve: string): void {
  if (/^[0-9a-f]+$/.test(approve) && approve.length >= MIN_DIGEST_CHARACTERS && approve.length <= DIGEST_CHARACTERS) return;
  throw badInput(`--approve: expected a digest as \`fleetmend plan\` prints it, ${MIN_DIGEST_CHARACTERS} to ${DIGEST_CHARACTERS} characters of 0-9 and a-f, got ${quoteText(approve)}`);
}

function otherPlan(what: string, digest: Digest): FleetmendError {
  return new FleetmendError({
    kind: 'badInput', summary: `${what}; this one has the digest ${digest}`, done: 'nothing was touched',
    next: 'look at this plan, and approve it if it is right',
  });
}

/** In place of nothing: an approval that is there is not overwritten. */
export async function writeApproval(file: string, approval: Approval): Promise<void> {
  try {
    const handle = await open(file, 'wx', 0o644);
    try {
      await handle.writeFile(`${JSON.stringify(approval)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw badInput(`${file} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

async function readApprovalFile(file: string): Promise<Approval> {
  const value = parse(await readTextFile(file));
  // It may be another person's: whoever approves is seldom who applies.
  const { mode } = await stat(file);
  if ((mode & 0o022) !== 0) throw badInput(`${file} is no approval that counts: others than its owner can write it; chmod go-w ${file}, once you know that it is right`);
  if (isApproval(value)) return value;
  throw badInput(`${file}: expected an approval as \`fleetmend approve\` writes it: {"digest": ..., "by": ..., "at": ...}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

/** It is kept with the run, and shown. */
function isLine(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 300 && cleanLine(value) === value;
}

function isApproval(value: unknown): value is Approval {
  if (typeof value !== 'object' || value === null) return false;
  const { digest, by, at } = value as Record<string, unknown>;
  return typeof digest === 'string' && /^[0-9a-f]{64}$/.test(digest) && isLine(by) && isLine(at) && ISO_TIME.test(at);
}
