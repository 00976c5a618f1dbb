/** A playbook after it was checked: one control, how to audit it, how to get there. Never holds anything unresolved. */
import type { Phase } from './catalogue.js';
import type { SecretRule } from './redact.js';
import type { Rollout } from './rollout.js';

export interface Control {
  readonly id: string;
  readonly benchmark: string;
  readonly title: string;
  readonly level: number;
  readonly description: string;
  readonly impact: string;
  readonly defaultValue: string;
  readonly audit: string;
  readonly remediation: string;
}

export interface PlaybookStep {
  /** `1-setKubeletConfig`: position and kind; unique in the playbook. */
  readonly id: string;
  readonly kind: string;
  readonly phase: Phase;
  /** Checked by the kind's schema. */
  readonly params: unknown;
}

export interface Playbook {
  readonly name: string;
  readonly control: Control;
  /** Values after defaults and `--set`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly audit: { readonly probe: string; readonly params: unknown };
  readonly steps: readonly PlaybookStep[];
  /** The margin on top of the waits of the steps, for a connection that is lost and comes back. */
  readonly guard: 'none' | { readonly marginMs: number };
  /** What is hidden on screens and in reports beyond the general rule: keys of `redact`, values of parameters marked `secret`. */
  readonly secrets: SecretRule;
  /** With defaults, and with what the command line said. */
  readonly rollout: Rollout;
}
