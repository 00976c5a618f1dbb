/**
 * When a maintenance window is open: whenever the clocks of its time zone show a time in it. An hour that daylight saving
 * takes away opens nothing; one that it gives twice counts twice. Never asks what time it is.
 */
import { DateTime, IANAZone } from 'luxon';
import type { MaintenanceWindow } from '../core/rollout.js';
import { WEEKDAYS } from '../core/rollout.js';

export type WindowState = { readonly open: true; readonly closesAt: Date } | { readonly open: false; readonly opensAt: Date };

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
/** A window of one minute a week can be skipped by daylight saving, but not twice in a row. An open one that never closes is looked at again then. */
const LOOK_AHEAD_MS = 15 * DAY_MINUTES * MINUTE_MS;

export function windowAt(window: MaintenanceWindow, now: Date): WindowState {
  const open = isOpen(window, now.getTime());
  let at = now.getTime();
  while (at < now.getTime() + LOOK_AHEAD_MS) {
    at = nextEdge(window, at);
    if (isOpen(window, at) !== open) break;
  }
  return open ? { open, closesAt: new Date(at) } : { open, opensAt: new Date(at) };
}

export function isTimeZone(name: string): boolean {
  return /^[A-Za-z]/u.test(name) && IANAZone.isValidZone(name);
}

function isOpen(window: MaintenanceWindow, at: number): boolean {
  const { minute, weekday } = wallClock(window, at);
  const from = minuteOf(window.from);
  const to = minuteOf(window.to);
  const opensOn = (day: number): boolean => window.days.some((name) => WEEKDAYS.indexOf(name) === (day + 7) % 7);
  if (from < to) return minute >= from && minute < to && opensOn(weekday);
  return (minute >= from && opensOn(weekday)) || (minute < to && opensOn(weekday - 1));
}

/** The next moment at which the clocks show `from` or `to`, or are put forward or back. */
function nextEdge(window: MaintenanceWindow, at: number): number {
  const { minute, past } = wallClock(window, at);
  const waits = [window.from, window.to].map((edge) => (minuteOf(edge) - minute + DAY_MINUTES) % DAY_MINUTES || DAY_MINUTES);
  const edge = at - past + Math.min(...waits) * MINUTE_MS;
  return offsetAt(window, at) === offsetAt(window, edge) ? edge : clockChange(window, at, edge);
}

/** The first moment with the new offset; it lies after `before` and at or before `after`. */
function clockChange(window: MaintenanceWindow, before: number, after: number): number {
  const old = offsetAt(window, before);
  let [low, high] = [before, after];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(window, middle) === old) low = middle;
    else high = middle;
  }
  return high;
}

/** `weekday` counts from 0, Monday. `past`: milliseconds since the minute began. */
function wallClock(window: MaintenanceWindow, at: number): { readonly minute: number; readonly weekday: number; readonly past: number } {
  const there = DateTime.fromMillis(at, { zone: window.timeZone });
  return { minute: there.hour * 60 + there.minute, weekday: there.weekday - 1, past: there.second * 1_000 + there.millisecond };
}

function offsetAt(window: MaintenanceWindow, at: number): number {
  return DateTime.fromMillis(at, { zone: window.timeZone }).offset;
}

function minuteOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number);
  return hours * 60 + minutes;
}
