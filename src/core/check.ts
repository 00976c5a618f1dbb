/** The closed set of checks that verify a node: questions with an expected answer. They never change anything. */
export type Check =
  /** What systemd would start now, computed from the files and from systemd's own loaded properties. */
  | { readonly check: 'commandLinePredicted'; readonly unit: string; readonly argv: readonly string[] }
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
