/** Whether what a person asks of a rollout can be done now, and in what words that is answered. Pure. */
import { quoteText, suggestWord } from '../core/input-error.js';
import type { ControlAct, RolloutPlan } from '../core/rollout.js';
import type { RolloutState } from './rollout-state.js';

export interface ControlAnswer {
  readonly accepted: boolean;
  /** One line. */
  readonly text: string;
}

const MAX_WITHIN = 1000;

/** `isOver(host)`: it was begun or has an end. */
export function judgeControl(act: ControlAct, state: RolloutState, plan: RolloutPlan, isOver: (host: string) => boolean): ControlAnswer {
  if (state.stop !== undefined && act.do !== 'undo') return no(`the rollout is stopping already: ${state.stop.summary}`);
  switch (act.do) {
    case 'pause':
      return state.paused ? no('it is paused already') : yes(`paused: no new host is begun; ${working(state)}`);
    case 'continue':
      return state.paused || state.stage === 'person' ? yes('going on') : no('nothing waits for a continue');
    case 'within':
      return judgeWithin(act.count, plan.waves[state.wave]?.kind === 'canary');
    case 'skip':
      return judgeSkip(act.host, state, plan, isOver);
    case 'stop':
      return yes(`stopping: no new host is begun; ${working(state)}`);
    case 'undo':
      if (state.stop !== undefined && state.stop.then !== 'halt') return no(`an undo is coming already: ${state.stop.summary}`);
      if (state.stop?.reason === 'interrupt') return no('the run was interrupted: undo it when it has ended');
      return yes(`stopping; ${working(state)}; then the changed hosts of ${act.scope === 'wave' ? 'this wave' : 'the run'} are brought back`);
  }
}

function judgeWithin(count: number, inCanary: boolean): ControlAnswer {
  if (!Number.isInteger(count) || count < 1 || count > MAX_WITHIN) return no(`expected a whole number of hosts from 1 to ${MAX_WITHIN}`);
  return yes(`${count} at once${inCanary ? ' after the canary wave, which goes one by one' : ''}`);
}

function judgeSkip(host: string, state: RolloutState, plan: RolloutPlan, isOver: (host: string) => boolean): ControlAnswer {
  const known = plan.waves.some((wave) => wave.hosts.includes(host));
  if (!known && plan.labels.has(host)) return no(`${host} is not to be changed by this run`);
  if (!known) return no(`no host ${quoteText(host)} in this run${suggestWord(host, [...plan.labels.keys()])}`);
  if (state.leftOut.has(host)) return no(`${host} is left out already`);
  if (plan.waves[0]?.kind === 'canary' && plan.waves[0].hosts.includes(host) && !isOver(host)) return no(`${host} is a canary: its change would spread without proof; stop, and plan again without it`);
  return isOver(host) ? no(`${host} was begun already`) : yes(`${host} is left out`);
}

function working({ working: { size } }: RolloutState): string {
  return size === 0 ? 'none is under way' : `${size} under way ${size === 1 ? 'is' : 'are'} finished`;
}

function yes(text: string): ControlAnswer {
  return { accepted: true, text };
}

function no(text: string): ControlAnswer {
  return { accepted: false, text };
}
