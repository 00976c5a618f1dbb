/**
 * From the login's shell to root's: starts what may ask for a password once that may be sent, waits for the question, answers it once,
 * and knows root by its line. A password is never run as a command, a command never taken for a password, and nothing that asks is
 * started on a host that may not get the password.
 */
import type { Failure } from '../core/failure.js';
import { hideKnown, shownForms } from '../core/known-secrets.js';
import type { PasswordTrials, Trial } from '../core/password-trials.js';
import type { ShellEnd } from '../core/ports.js';
import { createMarkerFinder } from './find-marker.js';
import { passwordBarred, passwordNotAccepted, passwordNotGiven, rootRefused, rootTooLate, type Login } from './root-failures.js';
import { GO_LINE, promptText, ROOT_LINE, type RootWay } from './start-command.js';
import { boundedText, shellEnded } from './visit-failures.js';

const NOISE_LIMIT_BYTES = 256 * 1024;
/** A question fits in it; what is longer is none. */
const QUESTION_CHARACTERS = 512;

export interface RootStageOptions {
  readonly login: Login;
  readonly nonce: string;
  readonly way: RootWay;
  readonly password?: string | undefined;
  readonly trials: PasswordTrials;
  send(line: string): void;
  fail(why: Failure): void;
  /** Other hosts are waited for, so no time limit of this one runs; what it returns ends that. */
  pause(): () => void;
}

export interface RootStage {
  /** The login's shell is up. */
  start(): void;
  /** Gives what came after root's line, once that came. */
  onOutput(chunk: Buffer): Buffer | undefined;
  onComplaint(chunk: Buffer): void;
  /** Why there is no root shell: it ended, or (with a time) did not come. */
  whyNot(end: ShellEnd | { readonly how: 'late'; readonly timeoutMs: number }): Failure;
  /** The visit ended; a password under way is no longer waited for. */
  close(): void;
}

export function createRootStage({ login, nonce, way, password, trials, send, fail, pause }: RootStageOptions): RootStage {
  const finder = createMarkerFinder(ROOT_LINE, NOISE_LIMIT_BYTES);
  const complaints = boundedText();
  const secrets = password === undefined ? [] : shownForms(password);
  /** Of the stream on which a question would come. */
  let unread = '';
  let asked = 0;
  let isSent = false;
  let isOver = false;
  let trial: Trial | undefined;
  const account = { key: login.host.name, name: login.host.name };

  /** What the node printed, without our line, our prompt and, should a terminal have echoed it, the password. */
  const words = (): string => {
    const printed = boundedText();
    if (way.terminal) printed.add(finder.before());
    const text = `${complaints.text()}${printed.text()}`.replaceAll(promptText(nonce), '');
    return hideKnown(text, secrets).trim();
  };
  /** A host that took it before is not barred for a connection that was lost. */
  const endUnanswered = (): void => trial?.end(!isSent || trials.hasAccepted(account, password ?? '') ? 'unsent' : 'unanswered');
  const startAsking = async (secret: string): Promise<void> => {
    const goOn = pause();
    const begun = await trials.begin(account, secret);
    if ('by' in begun) return isOver ? undefined : fail(passwordBarred(login, begun));
    if (isOver) return begun.end('unsent');
    goOn();
    trial = begun;
    send(GO_LINE);
  };
  const onQuestion = (): void => {
    asked += 1;
    if (password === undefined) return fail(passwordNotGiven(login, words()));
    if (asked === 1) {
      isSent = true;
      return send(`${password}\n`);
    }
    trial?.end('refused');
    fail(passwordNotAccepted(login, words()));
  };
  const look = (chunk: Buffer): void => {
    // Nobody has asked yet.
    if (way.prompt && trial === undefined) return;
    unread = (unread + chunk.toString('latin1')).slice(-QUESTION_CHARACTERS);
    const question = way.prompt === 'ours' ? unread.indexOf(promptText(nonce)) : (/password:\s*$/i.exec(unread.slice(unread.lastIndexOf('\n') + 1))?.index ?? -1);
    if (question < 0) return;
    unread = way.prompt === 'ours' ? unread.slice(question + promptText(nonce).length) : '';
    onQuestion();
  };

  return {
    start() {
      if (!way.prompt) return;
      if (password === undefined) fail(passwordNotGiven(login, ''));
      else void startAsking(password);
    },
    onOutput(chunk) {
      if (isOver) return undefined;
      const found = finder.push(chunk);
      if (found === 'tooMuch') fail(rootRefused(login, ': it prints without end', words()));
      else if (found) {
        isOver = true;
        trial?.end(isSent ? 'accepted' : 'unsent');
        return found;
      } else if (way.terminal) look(chunk);
      return undefined;
    },
    onComplaint(chunk) {
      complaints.add(chunk);
      if (!way.terminal && way.prompt) look(chunk);
    },
    whyNot(end) {
      if (end.how === 'late') {
        endUnanswered();
        return rootTooLate(login, end.timeoutMs, unread !== '' && !unread.endsWith('\n'), words());
      }
      if (end.how === 'lost') return { kind: 'connectionLost', summary: `${shellEnded(end)} before there was a root shell`, ...(words() === '' ? {} : { detail: words() }) };
      if (isSent) trial?.end('refused');
      return rootRefused(login, isSent ? ' for the password' : '', words());
    },
    close() {
      isOver = true;
      endUnanswered();
    },
  };
}
