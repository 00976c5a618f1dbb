/** A host of the inventory: who it is and how to reach it. Never holds a secret. */
export interface Host {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Private key file on the controller; absent: the agent, then the user's default keys. */
  readonly identityFile?: string;
  /** How the remote shell becomes root. */
  readonly become: 'none' | 'sudo';
  readonly connectTimeoutMs: number;
  readonly labels: Readonly<Record<string, string>>;
}
