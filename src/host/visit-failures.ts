/** What can go wrong with a shell on a host, as failures: what happened and what to do next. Never decides by a text. */
import { cleanText, markCut } from '../core/clean-text.js';
import type { Failure } from '../core/failure.js';
import type { ShellEnd } from '../core/ports.js';
import { rootRefused, type Login } from './root-failures.js';
import { rootWay } from './start-command.js';

const KEPT_BYTES = 16 * 1024;
/** The exit code of the shell text when a tool that every answer needs is missing. */
const LACKS_TOOL_EXIT = 96;

export interface BoundedText {
  add(chunk: Uint8Array): void;
  /** Cleaned: it came from a node. */
  text(): string;
}

/** Keeps the beginning and drops the rest, which leaves a mark. */
export function boundedText(): BoundedText {
  let kept = Buffer.alloc(0);
  return {
    add(chunk) {
      if (kept.length < KEPT_BYTES) kept = Buffer.concat([kept, chunk]).subarray(0, KEPT_BYTES);
    },
    text() {
      const text = kept.toString('utf8');
      return cleanText(kept.length < KEPT_BYTES ? text : markCut(text)).trim();
    },
  };
}

export function shellEnded(end: ShellEnd): string {
  switch (end.how) {
    case 'exit':
      return `the shell ended with exit code ${end.code}`;
    case 'signal':
      return `the shell was ended by ${cleanText(end.signal)}`;
    case 'lost':
      return 'the connection was lost';
  }
}

export function noShell(user: string, what: string, noise: string, complaints: string): Failure {
  return {
    kind: 'noShell',
    summary: `no shell for ${user}: ${what}`,
    ...withDetail(noise, complaints),
    next: 'see what the login shell of this user does with a command',
  };
}

/** The shell was up and ended. Before the first answer and on a way to root that asks nothing, it is that way that ended it. */
export function endedEarly(login: Login, end: ShellEnd, isFirst: boolean, complaints: string): Failure {
  const detail = withDetail(complaints);
  if (end.how !== 'exit') return { kind: 'connectionLost', summary: `${shellEnded(end)} before the answer came`, ...detail };
  if (end.code === LACKS_TOOL_EXIT) return { kind: 'missingTool', summary: complaints || 'a tool is missing on the node', next: 'install coreutils or busybox there' };
  const { saysRoot, isNarrow } = rootWay(login.host.become, login.host.becoming);
  if (isFirst && login.host.become !== 'none' && !saysRoot && !isNarrow) return rootRefused(login, '', complaints);
  return { kind: 'protocol', summary: `${shellEnded(end)} before the answer came`, ...detail };
}

export function unanswered(timeoutMs: number): Failure {
  return { kind: 'timeout', summary: `no answer within ${Math.ceil(timeoutMs / 1000)} s`, done: 'the connection was closed' };
}

export function interrupted(): Failure {
  return { kind: 'interrupted', summary: 'interrupted', done: 'the connection was closed' };
}

function withDetail(...texts: readonly string[]): { detail?: string } {
  const detail = texts.filter((text) => text !== '').join('\n');
  return detail === '' ? {} : { detail };
}
