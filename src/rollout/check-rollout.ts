/** What in a policy cannot be right for the hosts of this run, in words; said before any host is reached. Never changes a policy to make it fit. */
import { quoteText, suggestWord } from '../core/input-error.js';
import type { Rollout } from '../core/rollout.js';

interface LabelledHost {
  readonly labels: Readonly<Record<string, string>>;
}

/** `hosts` are all of the run. A canary may name labels that nobody has: it then has nothing to cover there. */
export function checkRollout(policy: Rollout, hosts: readonly LabelledHost[]): string[] {
  const known = [...new Set(hosts.flatMap((host) => Object.keys(host.labels)))].sort();
  return policy.budget.per
    .filter(({ label }) => !known.includes(label))
    .map(({ label }) => {
      const had = known.length === 0 ? 'they have no labels' : `they have ${known.map((name) => quoteText(name)).join(', ')}`;
      const guess = suggestWord(label, known);
      return `budget per ${quoteText(label)}: no host of this run has that label${guess} (${had}), so it could never stop the rollout; correct it, or leave it out with --budget-per`;
    });
}
