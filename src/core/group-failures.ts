/** Folds hosts that failed alike into one group, so that a wrong password is one reason and not one for each host. Pure. */
import type { Failure } from './failure.js';
import { describeFailure } from './failure.js';

export interface Failed {
  readonly host: string;
  readonly failure: Failure;
}

export interface FailureGroup {
  /** In their order. */
  readonly hosts: readonly string[];
  /** Of one host its own; of more, that of the first, which calls them "the host". */
  readonly failure: Failure;
  /** The `detail` of the first host is not that of all. */
  readonly differs: boolean;
}

/** Alike are failures whose one-line form is the same once each host's own address is taken out. In order of the first of each. */
export function groupFailures(failed: readonly Failed[]): FailureGroup[] {
  const groups = new Map<string, { readonly first: Failure; readonly hosts: string[]; readonly failure: Failure; differs: boolean }>();
  for (const { host, failure } of failed) {
    const nameless = withoutTarget(failure);
    const key = describeFailure(nameless);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: failure, hosts: [host], failure: nameless, differs: false });
    else {
      group.hosts.push(host);
      group.differs ||= group.failure.detail !== nameless.detail;
    }
  }
  return [...groups.values()].map(({ first, hosts, failure, differs }) => ({ hosts, differs, failure: hosts.length === 1 ? first : failure }));
}

function withoutTarget(failure: Failure): Failure {
  const { target, summary, detail, done, next, kind } = failure;
  if (target === undefined) return failure;
  const own = new RegExp(`(?<![\\w.:-])${target.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-])`, 'g');
  const nameless = (text: string): string => text.replaceAll(own, 'the host');
  return {
    kind, summary: nameless(summary),
    ...(detail === undefined ? {} : { detail: nameless(detail) }),
    ...(done === undefined ? {} : { done: nameless(done) }),
    ...(next === undefined ? {} : { next: nameless(next) }),
  };
}
