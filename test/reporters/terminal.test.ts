/** The live view on a small terminal: no line stands twice, nothing of others is erased, and what the rollout and the keyboard say is seen. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunEvent } from '../../src/core/journal.js';
import type { RunFact } from '../../src/core/rollout.js';
import { createTerminalReporter } from '../../src/reporters/terminal.js';
import type { FakeTerminal } from './screen.js';
import { createFakeTerminal } from './screen.js';

const at = '2026-01-01T00:00:00.000Z';
const COLUMNS = 100;
const nameOf = (index: number): string => `node-${String(index + 1).padStart(3, '0')}`;
const started = (count: number): RunEvent => ({ event: 'stageStarted', run: 'r', stage: 'apply', playbook: 'p', hosts: Array.from({ length: count }, (_, index) => nameOf(index)), at });
const progress = (index: number, text = 'x'.repeat(200)): RunEvent => ({ event: 'progress', run: 'r', host: nameOf(index), phase: 'changing', text, at });
const finished = (index: number): RunEvent => ({
  event: 'entry', entry: { type: 'finished', outcome: 'restored', failure: { kind: 'unhealthy', summary: `it died${'!'.repeat(200)}` }, run: 'r', host: nameOf(index), seq: 1, at },
});
const rollout = (text: string, paused = false): RunEvent => ({ event: 'rollout', run: 'r', wave: 2, of: 4, within: 5, paused, text, at });
const ofRun = (fact: RunFact): RunEvent => ({ event: 'entry', entry: { ...fact, run: 'r', host: '*', seq: 1, at } });
const prompt = (text: string): RunEvent => ({ event: 'prompt', run: 'r', text, at });
const said = (text: string): RunEvent => ({ event: 'said', run: 'r', text, at });
const ended: RunEvent = { event: 'stageFinished', run: 'r', stage: 'apply', at };

/** The library hides the cursor of the real terminal, whatever it draws on. */
beforeEach(() => { vi.spyOn(process.stderr, 'write').mockImplementation(() => true); });
afterEach(() => { vi.restoreAllMocks(); });

interface Scene {
  readonly terminal: FakeTerminal;
  show(...events: readonly RunEvent[]): void;
  /** Until a picture holds. */
  until(holds: (lines: readonly string[]) => void): Promise<void>;
  close(): Promise<void>;
  drawAnew(): void;
}

function openScene(rows: number): Scene {
  const terminal = createFakeTerminal(rows, COLUMNS);
  terminal.output.write('$ before\n');
  const reporter = createTerminalReporter({ output: terminal.output, rows: () => rows, columns: () => COLUMNS });
  return {
    terminal,
    show: (...events) => { for (const event of events) reporter.on(event); },
    until: (holds) => vi.waitFor(() => { holds(terminal.visible()); }, { timeout: 10_000, interval: 20 }),
    close: () => reporter.close(),
    drawAnew: () => { reporter.drawAnew(); },
  };
}

function timesIn(lines: readonly string[], words: string): number {
  return lines.filter((line) => line.includes(words)).length;
}

describe.each([[24, 10], [24, 18], [24, 19], [24, 300], [30, 24], [30, 25], [30, 300]])('on %i rows with %i hosts', (rows, count) => {
  it('all is seen at once, nothing scrolls away, and the last picture stands once', async () => {
    const scene = openScene(rows);
    scene.show(started(count), ofRun({ type: 'wavePassed', wave: 1 }));
    for (let index = 0; index < count; index++) scene.show(progress(index));
    scene.show(rollout('3 under way'), prompt('skip which host? _'));
    await scene.until((lines) => {
      expect(lines[0]).toBe('$ before');
      expect(lines[1]).toBe('wave 2 of 4, 5 at once: 3 under way');
      expect(lines[2]).toBe('wave 1 passed');
      expect(lines.at(-1)).toBe('skip which host? _');
      expect(timesIn(lines, 'changing')).toBeGreaterThan(0);
    });
    for (let index = 0; index < Math.min(count, 9); index++) scene.show(finished(index));
    await scene.until((lines) => { expect(timesIn(lines, 'restored') + timesIn(lines, '9 restored')).toBeGreaterThanOrEqual(Math.min(count, 9)); });
    expect(scene.terminal.visible()[0]).toBe('$ before');
    expect(scene.terminal.visible().length).toBeLessThan(rows);
    scene.show(ended);
    await scene.close();
    const lines = scene.terminal.lines();
    expect(timesIn(lines, 'wave 2 of 4')).toBe(1);
    expect(timesIn(lines, 'skip which host')).toBe(0);
    for (let index = 0; index < count; index++) expect(timesIn(lines, nameOf(index))).toBeLessThanOrEqual(1);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(COLUMNS);
  });
});

describe('what others write', () => {
  it('words of the run stay above the picture, every line of them, and the picture stands once', async () => {
    const scene = openScene(30);
    scene.show(started(24), rollout('begun'));
    await scene.until((lines) => { expect(timesIn(lines, 'node-024')).toBe(1); });
    scene.show(said('interrupted: no new host is begun\nto go on later: fleetmend resume r\u001b[2J'), progress(3, 'later'));
    await scene.until((lines) => { expect(timesIn(lines, 'changing     later')).toBe(1); });
    scene.show(ended);
    await scene.close();
    const lines = scene.terminal.lines();
    expect(lines.slice(0, 3)).toEqual(['$ before', 'interrupted: no new host is begun', 'to go on later: fleetmend resume r[2J']);
    for (const words of ['wave 2 of 4', ...Array.from({ length: 24 }, (_, index) => nameOf(index))]) expect(timesIn(lines, words)).toBe(1);
  });
  it('a shell that writes because the run was killed: its lines stay, and nothing is drawn after them', async () => {
    const scene = openScene(30);
    scene.show(started(24));
    await scene.until((lines) => { expect(timesIn(lines, 'node-024')).toBe(1); });
    scene.terminal.output.write('Killed\n$ next\n');
    await scene.close();
    expect(scene.terminal.lines().slice(-2)).toEqual(['Killed', '$ next']);
    expect(timesIn(scene.terminal.lines(), 'node-001')).toBe(1);
  });
  it('a shell that writes while the run is stopped: its lines stay, and the picture is drawn anew below', async () => {
    const scene = openScene(30);
    scene.show(started(3));
    await scene.until((lines) => { expect(timesIn(lines, 'node-003')).toBe(1); });
    scene.terminal.output.write('Stopped\n$ fg\n');
    scene.drawAnew();
    scene.show(progress(1, 'again'));
    await scene.until((lines) => {
      expect(timesIn(lines, 'again')).toBe(1);
      expect(lines.indexOf('$ fg')).toBeGreaterThan(0);
      expect(lines.indexOf('$ fg')).toBeLessThan(lines.findIndex((line) => line.includes('again')));
    });
    scene.show(ended);
    await scene.close();
  });
});

it('a pause is seen, and what the keyboard says goes away when it says nothing', async () => {
  const scene = openScene(24);
  scene.show(started(3), rollout('paused', true), prompt('not done: it\u0007 is paused'));
  await scene.until((lines) => {
    expect(lines[1]).toBe('PAUSED  wave 2 of 4, 5 at once: paused');
    expect(lines.at(-1)).toBe('not done: it is paused');
  });
  scene.show(prompt(''));
  await scene.until((lines) => { expect(lines.at(-1)).toContain('node-003'); });
  scene.show(ended);
  await scene.close();
});
