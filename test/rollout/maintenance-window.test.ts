/** When a window is open: case tables, and a look at the clocks of the place for every single minute. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MaintenanceWindow, Weekday } from '../../src/core/rollout.js';
import { WEEKDAYS } from '../../src/core/rollout.js';
import { windowAt } from '../../src/rollout/maintenance-window.js';
import { readCases } from './case-file.js';

interface Case {
  readonly name: string;
  readonly window: Partial<MaintenanceWindow> & Pick<MaintenanceWindow, 'from' | 'to'>;
  readonly at: string;
  readonly opensAt?: string;
  readonly closesAt?: string;
}

describe('window', () => {
  it.each(readCases<Case>('window'))('$name', ({ window, at, opensAt, closesAt }) => {
    const full = { days: WEEKDAYS, timeZone: 'UTC', ...window };
    const expected = closesAt === undefined ? { open: false, opensAt: new Date(opensAt ?? '') } : { open: true, closesAt: new Date(closesAt) };
    expect(windowAt(full, new Date(at))).toEqual(expected);
  });
});

const MINUTE_MS = 60_000;
const TWO_DAYS_MINUTES = 2 * 24 * 60;
const DAY_NAMES: Readonly<Record<string, Weekday>> = { Mon: 'mon', Tue: 'tue', Wed: 'wed', Thu: 'thu', Fri: 'fri', Sat: 'sat', Sun: 'sun' };

/** What the clocks of a place show, by another library than the one under test. */
function clockOf(timeZone: string): (at: number) => { readonly day: Weekday; readonly time: string } {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return (at) => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    return { day: DAY_NAMES[parts['weekday'] ?? ''] ?? 'mon', time: `${parts['hour'] ?? ''}:${parts['minute'] ?? ''}` };
  };
}

function isOpen({ days, from, to }: MaintenanceWindow, { day, time }: { day: Weekday; time: string }): boolean {
  const yesterday = WEEKDAYS[(WEEKDAYS.indexOf(day) + 6) % 7] ?? 'mon';
  if (from < to) return days.includes(day) && time >= from && time < to;
  return (days.includes(day) && time >= from) || (days.includes(yesterday) && time < to);
}

/** Minutes around the days on which clocks are changed, and any others. */
const moments = fc.oneof(
  ...['2026-03-29T01:00Z', '2026-10-25T01:00Z', '2026-10-03T15:30Z', '2026-04-04T15:00Z', '2026-03-08T10:00Z', '2026-04-23T22:00Z', '2026-10-29T21:00Z', '2026-12-31T23:00Z'].map((change) => {
    return fc.integer({ min: -2_000, max: 300 }).map((minutes) => Date.parse(change) + minutes * MINUTE_MS);
  }),
  fc.integer({ min: 0, max: 525_600 }).map((minute) => Date.parse('2026-01-01T00:00Z') + minute * MINUTE_MS),
);
const clock = fc.integer({ min: 0, max: 95 }).map((quarter) => `${String(Math.floor(quarter / 4)).padStart(2, '0')}:${String((quarter % 4) * 15).padStart(2, '0')}`);
const windows: fc.Arbitrary<MaintenanceWindow> = fc.record({
  days: fc.subarray([...WEEKDAYS], { minLength: 1 }),
  from: clock,
  to: clock,
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/Los_Angeles', 'Asia/Kathmandu', 'Africa/Cairo', 'Pacific/Kiritimati'),
});

describe('every window', () => {
  it('is open in exactly the minutes in which the clocks of the place show a time in it', () => {
    fc.assert(fc.property(windows, moments, (window, start) => {
      const clockAt = clockOf(window.timeZone);
      const open = isOpen(window, clockAt(start));
      let until = start;
      while (until < start + TWO_DAYS_MINUTES * MINUTE_MS && isOpen(window, clockAt(until)) === open) until += MINUTE_MS;
      const found = windowAt(window, new Date(start));
      expect(found.open).toBe(open);
      const edge = (found.open ? found.closesAt : found.opensAt).getTime();
      if (until < start + TWO_DAYS_MINUTES * MINUTE_MS) expect(new Date(edge)).toEqual(new Date(until));
      else expect(edge).toBeGreaterThanOrEqual(until);
    }), { numRuns: 150 });
  });

  it('says a moment at which it really changes, and the same from any moment before it', () => {
    fc.assert(fc.property(windows, moments, fc.integer({ min: 0, max: 100 }), (window, start, part) => {
      const found = windowAt(window, new Date(start));
      const edge = found.open ? found.closesAt : found.opensAt;
      fc.pre(edge.getTime() - start < 14 * 24 * 60 * MINUTE_MS);
      expect(windowAt(window, edge).open).toBe(!found.open);
      const between = new Date(start + Math.floor(((edge.getTime() - 1 - start) * part) / 100));
      expect(windowAt(window, between)).toEqual(found);
    }));
  });
});
