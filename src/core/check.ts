/** The closed set of checks that verify a node: questions with an expected answer. They never change anything. */
import type { Digest } from './bytes.js';

/** One file behind what a service would start with, and what is in it. */
export interface SourceFile {
  /** After every symlink; the path that was named when there is no file. */
  readonly path: string;
  readonly digest: Digest | 'absent';
}

export type Check =
  /**
   * What systemd would start now, computed from the files and from systemd's own loaded properties. `sources`: every file
   * that has a say in that start, as it will be after the planned edits; what else is in them is activated too.
   */
  | { readonly check: 'commandLinePredicted'; readonly unit: string; readonly argv: readonly string[]; readonly sources: readonly SourceFile[] }
  /** `systemctl status` as evidence; fails unless the unit is active. */
  | { readonly check: 'status'; readonly unit: string }
  /** Unbroken health for `forMs` within `withinMs`: one MainPID and InvocationID, NRestarts not rising, argv, healthz. */
  | {
      readonly check: 'healthy';
      readonly unit: string;
      readonly argv: readonly string[];
      /** Absent: this node serves no healthz (healthzPort 0). */
      readonly healthzUrl?: string;
      readonly forMs: number;
      readonly withinMs: number;
    }
  /** The playbook's own audit again. */
  | { readonly check: 'audit' };
