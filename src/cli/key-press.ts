/** What a key means to a rollout: pure. Never lets one key alone undo anything, and takes no pasted text for keys. */
import { cleanLine } from '../core/clean-text.js';
import type { ControlAct } from '../core/rollout.js';

export type Key =
  | { readonly key: 'text'; readonly text: string }
  | { readonly key: 'enter' | 'escape' | 'backspace' | 'eraseLine' }
  /** What a terminal in cooked mode would have made a signal of. */
  | { readonly key: 'interrupt' | 'suspend' | 'quit' };

/** Where the person at the keyboard is. */
export type KeyboardMode =
  | { readonly mode: 'idle' }
  | { readonly mode: 'skip'; readonly typed: string }
  | { readonly mode: 'undoScope' }
  | { readonly mode: 'undoYes'; readonly scope: 'wave' | 'run'; readonly typed: string };

export interface Pressed {
  readonly mode: KeyboardMode;
  readonly act?: ControlAct;
  /** What is said now; empty: nothing. */
  readonly prompt: string;
}

export const IDLE: KeyboardMode = { mode: 'idle' };
const KEYS_HINT = 'keys: p pause, g go on, + - hosts at once, k skip a host, x stop, u undo, ? this, Ctrl-C interrupt';

const LONGEST_NAME = 253;
const MOST_AT_ONCE = 1_000;
const SIGNALS: Readonly<Record<string, Key>> = {
  '\u0003': { key: 'interrupt' }, '\u001a': { key: 'suspend' }, '\u001c': { key: 'quit' }, '\r': { key: 'enter' }, '\n': { key: 'enter' },
  '\u007f': { key: 'backspace' }, '\b': { key: 'backspace' }, '\u0015': { key: 'eraseLine' },
};

/** One chunk as a terminal sent it. Arrows, function keys and Alt with a key are left out: none of them means anything. */
export function keysOf(chunk: string): Key[] {
  const keys: Key[] = [];
  for (const [part] of chunk.matchAll(/\u001b(?:\[[0-9;?]*[ -/]*[@-~]|O.|[^[\]O])|[\p{Cc}]|[^\p{Cc}]+/gsu)) {
    const special = SIGNALS[part];
    if (special !== undefined) keys.push(special);
    else if (part === '\u001b') keys.push({ key: 'escape' });
    else if (!/^\p{Cc}/u.test(part)) keys.push({ key: 'text', text: part });
  }
  return keys;
}

/** `within`: hosts at once now, if that is known. */
export function press(mode: KeyboardMode, key: Key, within: number | undefined): Pressed {
  if (key.key === 'escape') return { mode: IDLE, prompt: mode.mode === 'idle' ? '' : 'left as it is' };
  switch (mode.mode) {
    case 'idle':
      return key.key === 'text' ? command(key.text, within) : { mode, prompt: '' };
    case 'skip':
      return name(mode.typed, key);
    case 'undoScope':
      return scope(key);
    case 'undoYes':
      return confirmation(mode, key);
  }
}

function command(text: string, within: number | undefined): Pressed {
  if (/^(\++|-+)$/.test(text)) return changeWithin(text, within);
  switch (text.toLowerCase()) {
    case 'p':
      return { mode: IDLE, act: { do: 'pause' }, prompt: 'pausing' };
    case 'g':
      return { mode: IDLE, act: { do: 'continue' }, prompt: 'going on' };
    case 'x':
      return { mode: IDLE, act: { do: 'stop' }, prompt: 'stopping' };
    case 'k':
      return ask({ mode: 'skip', typed: '' });
    case 'u':
      return ask({ mode: 'undoScope' });
    default:
      return { mode: IDLE, prompt: text.length > 1 ? 'that was more than one key: nothing was done' : KEYS_HINT };
  }
}

/** By one, and by a tenth where there are many. Key repeat may come in one piece. */
function changeWithin(text: string, within: number | undefined): Pressed {
  if (within === undefined || within < 1) return { mode: IDLE, prompt: 'how many hosts at once is not known yet' };
  const step = Math.max(1, Math.round(within / 10)) * text.length;
  const count = Math.min(MOST_AT_ONCE, Math.max(1, text.startsWith('+') ? within + step : within - step));
  return { mode: IDLE, act: { do: 'within', count }, prompt: `${count} at once` };
}

function name(typed: string, key: Key): Pressed {
  if (key.key !== 'enter') return ask({ mode: 'skip', typed: edited(typed, key) });
  const host = typed.trim();
  return host === '' ? { mode: IDLE, prompt: 'left as it is' } : { mode: IDLE, act: { do: 'skip', host }, prompt: `skipping ${host}` };
}

function scope(key: Key): Pressed {
  const text = key.key === 'text' ? key.text.toLowerCase() : '';
  if (text === 'w') return ask({ mode: 'undoYes', scope: 'wave', typed: '' });
  return text === 'r' ? ask({ mode: 'undoYes', scope: 'run', typed: '' }) : ask({ mode: 'undoScope' });
}

function confirmation(mode: Extract<KeyboardMode, { mode: 'undoYes' }>, key: Key): Pressed {
  if (key.key !== 'enter') return ask({ ...mode, typed: edited(mode.typed, key) });
  if (mode.typed.trim().toLowerCase() !== 'yes') return { mode: IDLE, prompt: 'nothing is undone: that was no yes' };
  return { mode: IDLE, act: { do: 'undo', scope: mode.scope }, prompt: 'stopping, then undoing' };
}

function edited(typed: string, key: Key): string {
  switch (key.key) {
    case 'text':
      return cleanLine(typed + key.text).slice(0, LONGEST_NAME);
    case 'backspace':
      return [...typed].slice(0, -1).join('');
    case 'eraseLine':
      return '';
    default:
      return typed;
  }
}

function ask(mode: Exclude<KeyboardMode, { mode: 'idle' }>): Pressed {
  switch (mode.mode) {
    case 'skip':
      return { mode, prompt: `skip which host? (Enter: skip it, Esc: leave it) ${mode.typed}_` };
    case 'undoScope':
      return { mode, prompt: 'stop, and bring back what was changed: w by this wave, r by the whole run, Esc: leave it' };
    case 'undoYes':
      return { mode, prompt: `bring back all hosts that ${mode.scope === 'wave' ? 'this wave' : 'this run'} changed? type yes and Enter, Esc: leave it: ${mode.typed}_` };
  }
}
