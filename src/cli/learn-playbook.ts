/** What the playbook of a past run or of a saved plan hides, learned before anything of it is shown. Reaches for no host. */
import type { HostPlan } from '../core/plan.js';
import type { RunRecord } from '../core/run-record.js';
import type { Playbook } from '../core/playbook.js';
import { playbookOf } from './compose.js';
import { learnSecrets, say } from './outlet.js';

/** Shorter values of `--set` are hardly secrets, and would be hidden in every sentence. */
const LEAST_SECRET = 6;

/** The playbook; undefined when this version cannot read its text: then only what stands beside the text is hidden, and `withheld` and `withoutDiffs` are for the rest. */
export function learnPlaybook(origin: RunRecord['playbook'], of: string): Playbook | undefined {
  try {
    const playbook = playbookOf(origin);
    learnSecrets(playbook.secrets);
    return playbook;
  } catch {
    learnSecrets({ names: origin.redact ?? [], values: Object.values(origin.settings).filter((value) => value.length >= LEAST_SECRET) });
    say(`fleetmend: the playbook of ${of} cannot be read by this version, so the values that it marks as secret are not known: diffs and values of --set are withheld`);
    return undefined;
  }
}

/** Nobody knows which of the values are secret. */
export function withheld(origin: RunRecord['playbook']): RunRecord['playbook'] {
  return { ...origin, settings: Object.fromEntries(Object.keys(origin.settings).map((name) => [name, '[withheld]'])) };
}

/** A diff was made without its secrets, but by the rule of another version. */
export function withoutDiffs(plan: HostPlan): HostPlan {
  return { ...plan, steps: plan.steps.map((step) => (step.phase === 'change' ? { ...step, diff: '(diff withheld: what its playbook hides is not known)\n' } : step)) };
}
