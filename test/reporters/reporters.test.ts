/** The readers of the stream: what they show, and that they can never hold up a run. */
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { JournalEntry, RunEvent } from '../../src/core/journal.js';
import { linesOf } from '../../src/reporters/lines.js';
import { createNdjsonReporter } from '../../src/reporters/ndjson.js';
import type { HostLine } from '../../src/reporters/run-model.js';
import { countEnds, follow } from '../../src/reporters/run-model.js';
import { hostsThatMatter } from '../../src/reporters/terminal.js';

const at = '2026-01-01T00:00:00.000Z';
const started = (hosts: readonly string[]): RunEvent => ({ event: 'stageStarted', run: 'r', stage: 'apply', playbook: 'p', hosts, at });
const progress = (host: string, text = 'x'): RunEvent => ({ event: 'progress', run: 'r', host, phase: 'changing', text, at });
const entry = (host: string, fact: Partial<JournalEntry> & { type: JournalEntry['type'] }): RunEvent =>
  ({ event: 'entry', entry: { run: 'r', host, seq: 1, at, ...fact } as JournalEntry });
const finished = (host: string, outcome: 'changed' | 'restored'): RunEvent =>
  entry(host, { type: 'finished', outcome, ...(outcome === 'restored' ? { failure: { kind: 'unhealthy', summary: 'it died' } } : {}) } as never);

function modelOf(events: readonly RunEvent[]): Map<string, HostLine> {
  const hosts = new Map<string, HostLine>();
  for (const event of events) follow(hosts, event);
  return hosts;
}

describe('the model of a run', () => {
  it('a host that ended stays ended, whatever comes late', () => {
    const hosts = modelOf([started(['a']), finished('a', 'changed'), progress('a')]);
    expect(hosts.get('a')).toMatchObject({ end: 'changed', phase: 'done' });
  });
  it('counts every host exactly once', () => {
    const hosts = modelOf([started(['a', 'b', 'c']), finished('a', 'changed'), progress('b')]);
    expect(countEnds(hosts.values())).toBe('1 changed, 1 active, 1 waiting');
  });
  it('control codes of a node never reach the screen, and its text stays on one line', () => {
    const hosts = modelOf([started(['a']), progress('a', 'ev\u001b[2Jil\r\n\u0007text\u202e')]);
    expect(hosts.get('a')?.text).toBe('ev[2Jil text');
  });
});

describe('the screen of a large fleet', () => {
  const names = Array.from({ length: 100 }, (_, index) => `node-${index}`);
  it('never has more lines than it has rows, and says how many it hides', () => {
    const hosts = modelOf([started(names), ...names.slice(0, 60).map((name) => progress(name)), ...names.slice(60, 90).map((name) => finished(name, 'restored'))]);
    const lines = hostsThatMatter(hosts, 20);
    expect(lines).toHaveLength(20);
    expect(lines.at(-1)).toBe('... and 71 more');
    expect(lines.some((line) => line.includes('restored'))).toBe(true);
    expect(lines.some((line) => line.includes('changing'))).toBe(true);
  });
  it('leaves out hosts that are fine or have not begun', () => {
    const hosts = modelOf([started(names), finished('node-0', 'changed'), progress('node-1')]);
    expect(hostsThatMatter(hosts, 20)).toEqual(['node-1  changing     x']);
  });
  it.each([0, 1, 2])('works on a screen with %i free rows', (rows) => {
    const hosts = modelOf([started(names), ...names.map((name) => progress(name))]);
    expect(hostsThatMatter(hosts, rows).length).toBeLessThanOrEqual(2);
  });
});

describe('plain lines', () => {
  it('have time and host, and say why', () => {
    expect(linesOf(finished('a', 'restored'))).toEqual([`${at} a restored: it died`]);
    expect(linesOf({ event: 'surveyed', run: 'r', host: 'b', verdict: 'fail', summary: 'zero', at })).toEqual([`${at} b fail: zero`]);
  });
  it('cannot be forged by a node', () => {
    const forged = linesOf({ event: 'surveyed', run: 'r', host: 'b', verdict: 'fail', summary: `x\n${at} a changed`, at });
    expect(forged).toHaveLength(1);
    expect(forged[0]).not.toContain('\n');
  });
});

describe('the stream as JSON', () => {
  it('is one document per event, in order', () => {
    const chunks: string[] = [];
    const output = new Writable({ write: (chunk: Buffer, _, done) => { chunks.push(chunk.toString()); done(); } });
    const events = [started(['a']), progress('a'), finished('a', 'changed')];
    const reporter = createNdjsonReporter(output);
    for (const event of events) reporter.on(event);
    expect(chunks.join('').trimEnd().split('\n').map((line) => JSON.parse(line) as unknown)).toEqual(events);
  });
});
