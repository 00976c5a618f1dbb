/** Hosts and policies of the case files: `- [3, c1, { pool: a }]` are three hosts with that change and those labels; `null` as change: needs none. */
import { foldNames } from '../../src/core/fold-names.js';
import type { Rollout } from '../../src/core/rollout.js';
import type { RolloutHost } from '../../src/rollout/plan-rollout.js';
import { loadPlaybook } from '../../src/sources/playbook-file.js';
import { SMALL_CATALOGUE } from '../sources/small-catalogue.js';

export type HostRow = readonly [count: number, change: string | null, labels?: Record<string, string>];
/** Rows; or so many hosts with the same change and no labels. */
export type HostsText = number | readonly HostRow[];

/** Named n1, n2, ... in the order of the rows. */
export function hostsOf(text: HostsText): RolloutHost[] {
  const rows: readonly HostRow[] = typeof text === 'number' ? [[text, 'c']] : text;
  const flat = rows.flatMap(([count, change, labels = {}]) => Array.from({ length: count }, () => ({ change, labels })));
  return flat.map(({ change, labels }, index) => ({ name: `n${index + 1}`, labels, ...(change === null ? {} : { change }) }));
}

/** `n[3-10]`, where names of other lengths would not be folded together. */
export function folded(names: readonly string[]): string {
  const padded = names.map((name) => name.replace(/\d+/u, (digits) => digits.padStart(6, '0')));
  return foldNames(padded).replaceAll(/(?<!\d)0+(?=\d)/gu, '');
}

const CONTROL = 'control: { id: i, benchmark: b, title: t, level: 1, description: d, impact: i, defaultValue: v, audit: a, remediation: r }';

/** A policy as a playbook with this `rollout:` gives it, so that the cases are written as an operator writes. */
export function policyOf(rollout: unknown, flags: Record<string, string> = {}): Rollout {
  const about = rollout === undefined ? '' : `rollout: ${JSON.stringify(rollout)}\n`;
  return loadPlaybook('p.yaml', `name: p\n${CONTROL}\naudit: { look: { at: x } }\nsteps: [{ check: }]\n${about}`, SMALL_CATALOGUE, {}, flags).rollout;
}
