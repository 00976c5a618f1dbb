/**
 * Asks a person for one secret on the terminal, without echo. Never takes for an answer what was typed before the question stood
 * there, and gives the terminal back on every way out: Ctrl-C is an interrupt, Ctrl-Z stops the process as it always does.
 */
import { StringDecoder } from 'node:string_decoder';
import type { ReadStream } from 'node:tty';
import { cleanLine } from '../core/clean-text.js';
import { FleetmendError } from '../core/failure.js';
import { dropEarlierKeys } from './confirm.js';
import { ask } from './outlet.js';

const MAX_CHARACTERS = 1_024;
/** A stop that the system carries out comes within this. */
const STOP_MS = 100;

/** Is there somebody to ask, and a place to ask at? */
export function canAskSecret(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** `label` completes "the ...". Rejects with FleetmendError: `interrupted` after Ctrl-C, `badInput` for an empty answer or none. */
export async function readSecret(label: string): Promise<string> {
  const input = process.stdin;
  if ((await dropEarlierKeys(input)) === 'interrupted') throw interrupted();
  try {
    return await typedLine(input, `${cleanLine(label)}: `, label);
  } finally {
    ask('\n');
  }
}

function typedLine(input: ReadStream, question: string, label: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const decoder = new StringDecoder('utf8');
    let typed = '';
    let isTooLong = false;
    const giveBack = (): void => {
      input.off('data', hear);
      input.off('end', gone);
      input.off('error', gone);
      input.pause();
      setRaw(input, false);
    };
    const take = (): void => {
      input.on('data', hear);
      input.on('end', gone);
      input.on('error', gone);
      setRaw(input, true);
      input.resume();
      // Only now: whoever answers at once must not be echoed.
      ask(question);
    };
    const end = (outcome: string | FleetmendError): void => {
      giveBack();
      process.off('exit', giveBack);
      if (outcome instanceof FleetmendError) reject(outcome);
      else resolve(outcome);
    };
    const gone = (): void => { end(nothing(label)); };
    const stop = (signal: 'SIGTSTP' | 'SIGQUIT'): void => {
      giveBack();
      process.kill(0, signal);
      setTimeout(take, STOP_MS);
    };
    const hear = (chunk: Buffer): void => {
      for (const char of decoder.write(chunk)) {
        switch (char) {
          case '\r':
          case '\n':
            end(isTooLong ? tooLong(label) : typed === '' ? nothing(label) : typed);
            return;
          case '\u0003':
            end(interrupted());
            return;
          case '\u0004':
            if (typed === '') {
              end(nothing(label));
              return;
            }
            break;
          case '\u001a':
            stop('SIGTSTP');
            return;
          case '\u001c':
            stop('SIGQUIT');
            return;
          case '\u007f':
          case '\b':
            typed = [...typed].slice(0, -1).join('');
            break;
          case '\u0015':
            typed = '';
            isTooLong = false;
            break;
          default:
            isTooLong ||= typed.length >= MAX_CHARACTERS;
            if (!isTooLong) typed += char;
        }
      }
    };
    process.on('exit', giveBack);
    take();
  });
}

/** A terminal that is gone has no mode any more. */
function setRaw(input: ReadStream, raw: boolean): void {
  try {
    input.setRawMode(raw);
  } catch {
    // Nothing is left to give back.
  }
}

function interrupted(): FleetmendError {
  return new FleetmendError({ kind: 'interrupted', summary: 'interrupted', done: 'no host was reached' });
}

function nothing(label: string): FleetmendError {
  return new FleetmendError({ kind: 'badInput', summary: `no ${label}: nothing was typed`, done: 'no host was reached' });
}

function tooLong(label: string): FleetmendError {
  return new FleetmendError({ kind: 'badInput', summary: `the ${label} is too long: more than ${MAX_CHARACTERS} characters were typed`, done: 'no host was reached' });
}
