/**
 * The digest that names a plan: of everything that would be done, to whom, how they are reached, and what it all rests on. Two
 * looks at a fleet that did not change give the same one. Pure, and as large as one host at a time.
 */
import { createHash } from 'node:crypto';
import type { Digest } from './bytes.js';
import type { PlanContent, SavedHost } from './saved-plan.js';

export function planDigest(content: PlanContent): Digest {
  const hash = createHash('sha256');
  const { playbook, inventory, connection } = content;
  hash.update(`${canonical({ playbook, inventory, connection })}\n`);
  for (const host of content.hosts) hash.update(`${canonical(boundOf(host))}\n`);
  return hash.digest('hex');
}

/**
 * What a yes to one host's plan is bound to. Left out: words that tell the same node differently at another time (summaries
 * and notes with ages, uptimes and pids, why a host did not answer), evidence, and the life of a service.
 */
function boundOf({ host, value, failure }: SavedHost): unknown {
  if (value === undefined) return { host, unreachable: failure.kind === 'interrupted' ? 'not asked' : 'no answer' };
  const { finding, steps, guard, observed, disruption, refusal, baseline } = value;
  return {
    host, verdict: finding.verdict, refusal: refusal?.kind, steps, guard, observed, disruption, health: baseline?.health,
  };
}

/** JSON with its keys in order: a document that was read and is written again is the same text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1)));
  });
}
