/** How fast connections may be started, by what servers did so far: cases as data. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { afterLogin, afterStart, afterTurnedAway, newRamp, waitForStart } from '../../src/core/ramp.js';

interface Case {
  readonly name: string;
  readonly startsPerSecond: number;
  readonly events: readonly string[];
  readonly expect: { readonly perSecond: number; readonly atOnce: number; readonly waitMs: number };
}

const cases = parse(readFileSync(new URL('ramp.cases.yaml', import.meta.url), 'utf8')) as Case[];

test.each(cases)('$name', ({ startsPerSecond, events, expect: expected }) => {
  let nowMs = 0;
  let ramp = newRamp(startsPerSecond, nowMs);
  let onTheWay: number[] = [];
  const awayAt = new Map<string, number>();
  for (const event of events) {
    const [what, argument = ''] = event.split(' ');
    const startedAtMs = onTheWay[0] ?? nowMs;
    const loginsBefore = awayAt.get(argument);
    switch (what) {
      case 'start':
      case 'silent':
        ramp = afterStart(ramp, nowMs);
        onTheWay = [...onTheWay, nowMs];
        break;
      case 'login':
        ramp = afterLogin(ramp);
        onTheWay = onTheWay.slice(1);
        break;
      case 'away':
        ramp = afterTurnedAway(ramp, { host: argument, startedAtMs, onTheWay: onTheWay.length, ...(loginsBefore === undefined ? {} : { loginsBefore }) }, nowMs);
        awayAt.set(argument, ramp.logins);
        onTheWay = onTheWay.slice(1);
        break;
      default:
        nowMs += Number(argument);
    }
  }
  expect({ perSecond: round(ramp.perSecond), atOnce: round(ramp.atOnce), waitMs: waitForStart(ramp, onTheWay, nowMs) }).toEqual(expected);
});

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
