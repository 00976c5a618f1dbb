/** The figures in the table: medians, ratios within a round, and contenders that were not there. */
import { describe, expect, it } from 'vitest';
import type { Measured } from './measure.js';
import type { Row } from './table.js';
import { median, ratioOf, showTable } from './table.js';

const run = (wallSeconds: number): Measured => ({ code: 0, stdout: '', stderr: '', wallSeconds, clientCpuSeconds: wallSeconds / 4, nodesCpuSeconds: undefined });
const rows: Row[] = [
  { name: 'ours', job: 'all of it', runs: [run(3), run(30), run(4)] },
  { name: 'floor', job: 'the least', runs: [run(2), run(10), run(4)] },
  { name: 'other', job: '', runs: 'not installed' },
];

describe('the table of a benchmark', () => {
  it('a median does not move with an outlier, and of two in the middle takes the mean', () => {
    expect(median([9, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 900])).toBe(3);
  });
  it('a ratio compares what ran in the same round, so that a busy minute does not count against one of them', () => {
    expect(ratioOf(rows, 'ours', 'floor')).toBe(1.5);
  });
  it('there is no ratio to a contender that was not measured', () => {
    expect(ratioOf(rows, 'ours', 'other')).toBeUndefined();
    expect(ratioOf(rows, 'ours', 'nobody')).toBeUndefined();
  });
  it('every contender has a line, also the one that is not installed', () => {
    const setting = { date: '2026-01-02', machine: 'a machine', node: '20.19.0', versions: [], nodes: 4, rounds: 3, load: '0.1' };
    const lines = showTable(rows, 'floor', setting).split('\n').filter((line) => line.startsWith('|'));
    expect(lines.slice(2)).toEqual([
      '| ours | all of it | 4.00 | 3.00 to 30.00 | 1.50 | 1.00 | unknown |',
      '| floor | the least | 4.00 | 2.00 to 10.00 | 1.00 | 1.00 | unknown |',
      '| other |  | not installed |  |  |  |  |',
    ]);
  });
});
