/** A plan of a whole run as it is kept in a file: what is asked, of which hosts, and what would be done to each. */
import type { Digest } from './bytes.js';
import type { Failure } from './failure.js';
import type { Evidence } from './finding.js';
import type { Host } from './host.js';
import type { HostPlan } from './plan.js';
import type { ConnectionChoices, RunRecord } from './run-record.js';

/** What came of looking at one host. `evidence` is not kept. */
export type SavedHost = { readonly host: Host; readonly evidence: readonly Evidence[]; readonly hostKey?: string } & (
  | { readonly value: HostPlan; readonly failure?: undefined }
  | { readonly value?: undefined; readonly failure: Failure }
);

/** What a digest is made of. */
export interface PlanContent {
  readonly playbook: RunRecord['playbook'];
  /** Where the hosts came from: the file in full, and its digest at that time. */
  readonly inventory: { readonly file: string; readonly sha256: Digest };
  readonly connection: ConnectionChoices;
  readonly hosts: readonly SavedHost[];
}

export interface SavedPlan extends PlanContent {
  /** Names this plan: a yes to it is a yes to nothing else. */
  readonly digest: Digest;
  /** ISO 8601, UTC. */
  readonly madeAt: string;
  /** `alice@laptop`. */
  readonly by: string;
}
