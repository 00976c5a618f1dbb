/**
 * Keys of the person who watches a rollout, as requests. The terminal is in raw mode only while somebody listens and the terminal is
 * ours, and is put back on every way out that a process can see. Ctrl-C, Ctrl-Z and Ctrl-\ mean what they always mean. Writes
 * nothing: what it says goes through `prompt` to the view.
 */
import { StringDecoder } from 'node:string_decoder';
import type { RunEvent } from '../core/journal.js';
import type { ControlRequest, Controls } from '../core/ports.js';
import { inForeground } from './foreground.js';
import type { Key, KeyboardMode } from './key-press.js';
import { IDLE, keysOf, press } from './key-press.js';

/** How long something stands there that waits for no answer. */
const SHOWN_MS = 8_000;
/** How soon the terminal is taken again after `fg`; some shells say nothing then. */
const LOOK_MS = 1_000;
/** A stop that the system carries out comes within this; in a group that nobody could wake it comes never. */
const STOP_MS = 100;

export interface KeyboardOptions {
  /** `alice@laptop`. */
  readonly by: string;
  /** An empty text takes away what stood there. */
  readonly prompt: (text: string) => void;
}

export interface Keyboard extends Controls {
  /** Follows how many hosts are at work at once. */
  on(event: RunEvent): void;
  close(): void;
}

/** Deaf where there is no terminal to type at and none to look at. */
export function createKeyboard(options: KeyboardOptions): Keyboard {
  const usable = process.stdin.isTTY && process.stderr.isTTY && process.env['TERM'] !== 'dumb';
  return usable ? new TerminalKeyboard(options, process.stdin) : { listen: () => () => undefined, on: () => undefined, close: () => undefined };
}

class TerminalKeyboard implements Keyboard {
  private readonly takers = new Set<(request: ControlRequest) => void>();
  private mode: KeyboardMode = IDLE;
  private within: number | undefined;
  private isRaw = false;
  private decoder = new StringDecoder('utf8');
  private look: NodeJS.Timeout | undefined;
  private fading: NodeJS.Timeout | undefined;

  constructor(private readonly options: KeyboardOptions, private readonly input: NodeJS.ReadStream) {}

  listen(take: (request: ControlRequest) => void): () => void {
    this.takers.add(take);
    if (this.takers.size === 1) this.begin();
    return () => {
      this.takers.delete(take);
      if (this.takers.size === 0) this.close();
    };
  }

  on(event: RunEvent): void {
    if (event.event === 'rollout') this.within = event.withinLater ?? event.within;
  }

  /** Safe to call twice. */
  close(): void {
    this.takers.clear();
    clearInterval(this.look);
    this.giveBack();
    this.say('');
    clearTimeout(this.fading);
    process.off('SIGTSTP', this.suspend);
    process.off('SIGCONT', this.take);
    process.off('exit', this.giveBack);
  }

  private begin(): void {
    process.on('SIGTSTP', this.suspend);
    process.on('SIGCONT', this.take);
    process.on('exit', this.giveBack);
    this.look = setInterval(this.take, LOOK_MS);
    this.look.unref();
    this.take();
    if (this.isRaw) this.say('? shows the keys');
  }

  /** A process in the background would be stopped by the system for this. */
  private readonly take = (): void => {
    if (this.isRaw || this.takers.size === 0 || !inForeground()) return;
    try {
      this.input.setRawMode(true);
    } catch {
      // The terminal is gone: then nobody types.
      return;
    }
    this.isRaw = true;
    this.decoder = new StringDecoder('utf8');
    this.input.on('data', this.hear);
    this.input.on('error', this.giveBack);
    this.input.resume();
  };

  private readonly giveBack = (): void => {
    if (!this.isRaw) return;
    this.isRaw = false;
    this.input.off('data', this.hear);
    this.input.off('error', this.giveBack);
    this.input.pause();
    try {
      this.input.setRawMode(false);
    } catch {
      // The terminal is gone.
    }
  };

  /** As the system does by itself where nobody reads keys; it decides whether anything may be stopped at all. */
  private readonly suspend = (): void => {
    this.giveBack();
    process.off('SIGTSTP', this.suspend);
    process.kill(process.pid, 'SIGTSTP');
    setTimeout(() => {
      if (this.takers.size === 0) return;
      process.on('SIGTSTP', this.suspend);
      this.take();
    }, STOP_MS);
  };

  private readonly hear = (chunk: Buffer): void => {
    for (const key of keysOf(this.decoder.write(chunk))) this.feel(key);
  };

  private feel(key: Key): void {
    switch (key.key) {
      case 'interrupt':
        process.kill(process.pid, 'SIGINT');
        return;
      case 'suspend':
        // To all of the group, as the terminal does: the view must not draw over the shell.
        process.kill(0, 'SIGTSTP');
        return;
      case 'quit':
        this.giveBack();
        process.kill(0, 'SIGQUIT');
        return;
      default:
        this.obey(key);
    }
  }

  private obey(key: Key): void {
    const { mode, act, prompt } = press(this.mode, key, this.within);
    this.mode = mode;
    this.say(prompt);
    const [taker] = this.takers;
    if (act === undefined || taker === undefined) return;
    // Pressed again before the rollout says so, it goes on from there.
    if (act.do === 'within') this.within = act.count;
    let answered = false;
    taker({
      by: this.options.by, act,
      answer: (accepted, text) => {
        if (answered) return;
        answered = true;
        if (this.mode.mode === 'idle') this.say(accepted ? text : `not done: ${text}`);
      },
    });
  }

  private say(text: string): void {
    clearTimeout(this.fading);
    this.options.prompt(text);
    if (text === '' || this.mode.mode !== 'idle') return;
    this.fading = setTimeout(() => { this.options.prompt(''); }, SHOWN_MS);
    this.fading.unref();
  }
}
