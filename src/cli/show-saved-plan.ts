/** `fleetmend show FILE.plan`: a plan in a file, however old, from the file alone. Reaches for no host. */
import { cleanLine } from '../core/clean-text.js';
import { FleetmendError } from '../core/failure.js';
import { quoteText, suggestWord } from '../core/input-error.js';
import type { SavedHost, SavedPlan } from '../core/saved-plan.js';
import { planExposure, readSavedPlan } from '../journals/index.js';
import type { Playbook } from '../core/playbook.js';
import type { JsonDocument } from './json-document.js';
import { jsonDocument } from './json-document.js';
import { learnPlaybook, withheld, withoutDiffs } from './learn-playbook.js';
import { say } from './outlet.js';
import { createPaint } from './paint.js';
import { changedSince } from './saved-plan-changes.js';
import { hostOf, showSavedHost, showSavedPlan } from './saved-plan-story.js';
import { groupsOf } from './show-plans.js';
import { rolloutSentences, showRollout } from './show-rollout-plan.js';
import { systemClock } from './system-clock.js';

export interface PlanOnDisk {
  readonly file: string;
  readonly saved: SavedPlan;
  readonly changed: readonly string[];
  /** Absent when this version cannot read its playbook. */
  readonly fleet?: { readonly playbook: Playbook; readonly concurrency: number };
}

/** Throws FleetmendError (badInput). From here on all that its playbook hides is hidden. */
export async function openSavedPlan(file: string): Promise<PlanOnDisk> {
  const saved = await readSavedPlan(file);
  const exposure = await planExposure(file);
  if (exposure !== undefined) say(`fleetmend: ${cleanLine(exposure)}`);
  const changed = await changedSince(saved);
  const playbook = learnPlaybook(saved.playbook, 'this plan');
  if (playbook !== undefined) return { file, saved, changed, fleet: { playbook, concurrency: saved.connection.concurrency } };
  const hosts = saved.hosts.map((one) => (one.value === undefined ? one : { ...one, value: withoutDiffs(one.value) }));
  return { file, changed, saved: { ...saved, playbook: withheld(saved.playbook), hosts } };
}

export function tellSavedPlan({ file, saved, changed, fleet }: PlanOnDisk): string {
  const paint = createPaint(process.stdout, process.env);
  const rollout = fleet === undefined ? {} : { rollout: showRollout(saved.hosts, fleet, paint) };
  return showSavedPlan({ file, saved, changed, now: systemClock.now(), ...rollout }, paint);
}

export function savedPlanDocument({ saved, changed, fleet }: PlanOnDisk): JsonDocument {
  const { digest, madeAt, by, playbook, inventory, hosts } = saved;
  const { text: _text, ...named } = playbook;
  const planned = hosts.map(hostOf);
  const groups = groupsOf(planned).map((group) => ({ hosts: group.hosts, disruption: group.disruption, steps: group.steps.map(({ title }) => title) }));
  const rollout = fleet === undefined ? undefined : rolloutSentences(hosts, fleet);
  return jsonDocument({ digest, madeAt, by, playbook: named, inventory, changed, rollout, changes: groups, hosts: planned }, { withBytes: false });
}

export function tellSavedHost({ saved }: PlanOnDisk, name: string, output: 'text' | 'json'): string | JsonDocument {
  const host = hostNamed(saved, name);
  return output === 'json' ? jsonDocument({ digest: saved.digest, ...hostOf(host) }, { withBytes: false }) : showSavedHost(host, createPaint(process.stdout, process.env));
}

function hostNamed(saved: SavedPlan, name: string): SavedHost {
  const found = saved.hosts.find(({ host }) => host.name === name);
  if (found !== undefined) return found;
  throw new FleetmendError({ kind: 'badInput', summary: `this plan has no host ${quoteText(name)}${suggestWord(name, saved.hosts.map(({ host }) => host.name))}` });
}
