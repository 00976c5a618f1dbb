/** What each key means, as a table: one key alone undoes nothing, and what was pasted by mistake does nothing. */
import { describe, expect, it } from 'vitest';
import type { ControlAct } from '../../src/core/rollout.js';
import type { KeyboardMode } from '../../src/cli/key-press.js';
import { IDLE, keysOf, press } from '../../src/cli/key-press.js';

/** Each chunk as a terminal would send it. */
function type(chunks: readonly string[], within?: number): { acts: ControlAct[]; prompt: string; mode: KeyboardMode } {
  let mode = IDLE;
  let prompt = '';
  const acts: ControlAct[] = [];
  for (const key of chunks.flatMap(keysOf)) {
    const pressed = press(mode, key, within);
    ({ mode, prompt } = pressed);
    if (pressed.act !== undefined) acts.push(pressed.act);
  }
  return { acts, prompt, mode };
}

describe('keys', () => {
  it.each<[string, string[], ControlAct[]]>([
    ['p pauses', ['p'], [{ do: 'pause' }]],
    ['g goes on', ['g'], [{ do: 'continue' }]],
    ['capitals mean the same', ['P', 'G'], [{ do: 'pause' }, { do: 'continue' }]],
    ['x stops', ['x'], [{ do: 'stop' }]],
    ['k, a name and Enter skip a host', ['k', 'node-1', '\r'], [{ do: 'skip', host: 'node-1' }]],
    ['a pasted name with blanks around it is that name', ['k', ' node-1 ', '\n'], [{ do: 'skip', host: 'node-1' }]],
    ['Backspace and Ctrl-U mend a name', ['k', 'wrong', '\u0015', 'node-12', '\u007f', '\r'], [{ do: 'skip', host: 'node-1' }]],
    ['an empty name skips nothing', ['k', '\r'], []],
    ['Esc leaves a question', ['k', 'node-1', '\u001b', '\r'], []],
    ['u alone undoes nothing', ['u'], []],
    ['u and a scope undo nothing', ['u', 'r', '\r'], []],
    ['u, w and yes undo the wave', ['u', 'w', 'yes', '\r'], [{ do: 'undo', scope: 'wave' }]],
    ['u, r and YES undo the run', ['u', 'r', 'YES', '\r'], [{ do: 'undo', scope: 'run' }]],
    ['y is no yes', ['u', 'r', 'y', '\r'], []],
    ['a name in a question is not taken for keys', ['k', 'pxgu'], []],
    ['pasted text is not taken for keys', ['xpug'], []],
    ['arrows, function keys, Alt and Home mean nothing', ['\u001b[A', '\u001bOP', '\u001bx', '\u001b[1;5H', '\u001b[15~'], []],
    ['other control keys mean nothing', ['\u0004', '\t', '\u0001'], []],
  ])('%s', (_, chunks, acts) => { expect(type(chunks, 10).acts).toEqual(acts); });

  it.each<[string, number, number]>([
    ['+', 1, 2], ['-', 2, 1], ['-', 1, 1], ['+', 10, 11], ['+', 50, 55], ['-', 50, 45], ['+++', 50, 65], ['+', 1000, 1000], ['-----------', 50, 1],
  ])('%s at %i hosts at once: %i', (keys, within, count) => { expect(type([keys], within).acts).toEqual([{ do: 'within', count }]); });

  it('+ before it is known how many are at work changes nothing', () => {
    expect(type(['+'])).toMatchObject({ acts: [], prompt: 'how many hosts at once is not known yet' });
  });
  it('a typed name cannot act on the terminal, and has an end', () => {
    const { prompt } = type(['k', `a\u202eb${'c'.repeat(5000)}`]);
    expect(prompt).not.toContain('\u202e');
    expect(prompt.length).toBeLessThan(400);
  });
  it.each([['\u0003', 'interrupt'], ['\u001a', 'suspend'], ['\u001c', 'quit']])('%j means what it always means, also among others', (char, key) => {
    expect(keysOf(`x${char}`)).toEqual([{ key: 'text', text: 'x' }, { key }]);
  });
});
