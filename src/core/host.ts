/** A host of the inventory: who it is and how to reach it, as far as the inventory says. Never holds a secret. */
import type { SecretSource } from './secret.js';

export interface Host {
  readonly name: string;
  /** What a person would give to `ssh`: a name of ssh_config, a DNS name or an IP address. */
  readonly address: string;
  /** Absent: what ssh_config says, else 22. */
  readonly port?: number;
  /** Absent: what ssh_config says, else the person who runs fleetmend. */
  readonly user?: string;
  /** Private key file on the controller; absent: those of ssh_config, the agent, the user's default keys. */
  readonly identityFile?: string;
  /** How the remote shell becomes root. */
  readonly become: BecomeMethod;
  readonly becoming?: Becoming;
  /** Absent: what ssh_config says, else 10 s. */
  readonly connectTimeoutMs?: number;
  /** Absent: ssh2. `openssh`: the system's own `ssh` program. */
  readonly transport?: 'openssh';
  readonly ssh?: HostSsh;
  readonly labels: Readonly<Record<string, string>>;
}

export type BecomeMethod = 'none' | 'sudo' | 'doas' | 'su';

export interface Becoming {
  /** Absent: no password is ever sent. */
  readonly password?: SecretSource;
  /** `pty`: for sudo with requiretty, and for doas and su, which ask on a terminal only. */
  readonly terminal?: 'pty';
  /** `commands`: no root shell; a reading visit runs single commands as root (`fleetmend sudoers`), a writing one is refused. */
  readonly scope?: 'commands';
}

/** What an inventory says of SSH; it beats ssh_config. */
export interface HostSsh {
  /** Absent: ~/.ssh/config, then /etc/ssh/ssh_config. A file: that one alone. */
  readonly config?: { readonly file: string } | 'none';
  /** `[user@]host[:port]` each, the nearest first. */
  readonly proxyJump?: readonly string[] | 'none';
  /** Those of `proxyJump` that are hosts of the inventory, with what it says of them. */
  readonly jumpHosts?: readonly JumpHost[];
  readonly certificateFile?: string;
  readonly hostKeyAlias?: string;
  /** Of the login on this host; a jump host has its own. */
  readonly password?: SecretSource;
  /** SHA-1, CBC and small groups, for nodes that know nothing better. Told loudly. */
  readonly legacyAlgorithms?: true;
  /** Said for everything (on the command line): also on the jump hosts before it. */
  readonly legacyJumps?: true;
}

export interface JumpHost {
  /** As in `proxyJump`. */
  readonly jump: string;
  readonly name: string;
  readonly identityFile?: string;
  readonly connectTimeoutMs?: number;
  readonly ssh?: Omit<HostSsh, 'proxyJump' | 'jumpHosts'> & { readonly proxyJump?: 'none' };
}
