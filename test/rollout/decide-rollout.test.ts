/** What comes next in a rollout, what a person may ask of it, what its facts tell the next process: one table each. */
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/core/journal.js';
import type { ControlAct, RolloutPlan, RunFact } from '../../src/core/rollout.js';
import { decideRollout } from '../../src/rollout/decide-rollout.js';
import type { RolloutMove } from '../../src/rollout/decide-rollout.js';
import { judgeControl } from '../../src/rollout/judge-control.js';
import { planRollout } from '../../src/rollout/plan-rollout.js';
import { progressText } from '../../src/rollout/progress-text.js';
import { pastOf } from '../../src/rollout/rollout-past.js';
import type { RolloutInput, RolloutPast, RolloutState, Steering, Stop } from '../../src/rollout/rollout-state.js';
import { NO_PAST, advanceRollout, startRollout } from '../../src/rollout/rollout-state.js';
import { readCases } from './case-file.js';
import { type HostsText, hostsOf, policyOf } from './hosts.js';

/** `opened`, `n1 begins`, `n1 restored`, `pause`, `checked n1,n2`, `within 3`, `skip n2`, `stop`; one after the other. */
type Happening = string;

interface Scene {
  readonly name: string;
  readonly policy?: Record<string, unknown>;
  readonly hosts?: HostsText;
  readonly failed?: readonly string[];
  readonly past?: { readonly ended?: readonly string[]; readonly passed?: readonly number[]; readonly leftOut?: readonly string[]; readonly lastOpened?: number; readonly stop?: Stop };
  readonly after?: readonly Happening[];
}
interface DecideCase extends Scene {
  readonly at?: string;
  readonly move: string;
}
interface JudgeCase extends Scene {
  readonly ask: ControlAct;
  readonly over?: readonly string[];
  readonly answer: string;
}

const NOW = '2026-01-15T08:00:00.000Z';
/** Of a pause and of the question to a person. */
const PATIENCE_ENDS_MS = Date.parse('2026-01-16T08:00:00Z');

/** Waves of two, then four of six, then all: without canary and budget unless the case says so. */
const PLAIN = { waves: [2, 4, '100%'], canary: 'none', budget: 'none', within: 2 };

function stage(scene: Scene): { policy: ReturnType<typeof policyOf>; plan: RolloutPlan; state: RolloutState } {
  const policy = policyOf({ ...PLAIN, ...scene.policy });
  const plan = planRollout(policy, hostsOf(scene.hosts ?? 6), 64);
  const { ended = [], passed = [], leftOut = [], lastOpened, stop } = scene.past ?? {};
  const past: RolloutPast = {
    ...NO_PAST, ended: new Set(ended), passed: new Set(passed), leftOut: new Set(leftOut),
    ...(lastOpened === undefined ? {} : { lastOpened }), ...(stop ? { stop } : {}),
  };
  const start = startRollout(plan, scene.failed ?? [], past);
  return { policy, plan, state: (scene.after ?? []).map(inputOf).reduce((state, input) => advanceRollout(state, input, plan, past), start) };
}

function inputOf(text: Happening): RolloutInput {
  const [first = '', second = ''] = text.split(' ');
  if (second === 'begins') return { is: 'began', host: first };
  if (/^n\d+$/u.test(first)) return { is: 'ended', result: { host: first, outcome: second as Outcome } };
  switch (first) {
    case 'checked':
      return { is: 'checked', failed: second === '' ? [] : second.split(',') };
    case 'asked':
      return { is: 'asked', untilMs: PATIENCE_ENDS_MS };
    case 'stop':
      return { is: 'stop', stop: { reason: 'person', summary: 'alice stopped the rollout', then: 'halt' } };
    case 'pause':
    case 'continue':
    case 'within':
    case 'skip':
      return { is: 'control', act: steering(first, second), untilMs: PATIENCE_ENDS_MS };
    default:
      return { is: first as 'opened' };
  }
}

function steering(act: 'pause' | 'continue' | 'within' | 'skip', word: string): Steering {
  if (act === 'within') return { do: act, count: Number(word) };
  return act === 'skip' ? { do: act, host: word } : { do: act };
}

function moveText(move: RolloutMove): string {
  switch (move.do) {
    case 'begin':
    case 'leaveOut':
      return `${move.do} ${move.host}`;
    case 'soak':
      return `soak ${move.ms}`;
    case 'stop':
      return `stop, ${move.stop.then}: ${move.stop.reason}: ${move.stop.summary}`;
    case 'wait':
      return ['wait', ...(move.for === undefined ? [] : [`for the ${move.for}`]), ...(move.untilMs === undefined ? [] : [`until ${new Date(move.untilMs).toISOString().slice(0, 16)}`])].join(' ');
    default:
      return move.do;
  }
}

describe('what comes next', () => {
  it.each(readCases<DecideCase>('decide'))('$name', (scene) => {
    const { policy, plan, state } = stage(scene);
    expect(moveText(decideRollout(plan, policy, state, new Date(scene.at ?? NOW)))).toBe(scene.move);
  });
});

describe('what a person asks', () => {
  it.each(readCases<JudgeCase>('judge'))('$name', (scene) => {
    const { plan, state } = stage(scene);
    const { accepted, text } = judgeControl(scene.ask, state, plan, (host) => (scene.over ?? []).includes(host));
    expect(`${accepted ? 'yes' : 'no'}: ${text}`).toBe(scene.answer);
  });
});

describe('what the screen says of it', () => {
  it.each(readCases<Scene & { ended?: number; opensAt?: string; says: string }>('progress'))('$name', (scene) => {
    const { plan, state } = stage(scene);
    const said = progressText(plan, state, { ended: scene.ended ?? 0, ...(scene.opensAt === undefined ? {} : { opensAtMs: Date.parse(scene.opensAt) }) });
    expect(said).toBe(scene.says);
  });
});

interface PastCase {
  readonly name: string;
  readonly facts: readonly RunFact[];
  readonly passed?: readonly number[];
  readonly leftOut?: readonly string[];
  readonly lastOpened?: number;
  readonly stop?: Stop;
}

describe('what the facts of a run tell the next process', () => {
  it.each(readCases<PastCase>('past'))('$name', ({ facts, passed = [], leftOut = [], lastOpened, stop }) => {
    const ended = new Set(['n1']);
    expect(pastOf(facts, ended)).toEqual({
      ended, proved: ended, passed: new Set(passed), leftOut: new Set(leftOut), ...(lastOpened === undefined ? {} : { lastOpened }), ...(stop ? { stop } : {}),
    });
  });
});
