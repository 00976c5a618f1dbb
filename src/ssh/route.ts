/**
 * The way to a host: every SSH server on it, with all that is needed to reach and to trust it. Made once per host from the
 * inventory, the command line and ssh_config. Data; never holds a secret.
 */
import type { SecretSource } from '../core/secret.js';
import type { AlgorithmOffer } from './algorithms.js';

export interface Route {
  /** The SSH servers between, the nearest first. */
  readonly jumps: readonly Hop[];
  readonly target: Hop;
  /** A program of the controller whose stdin and stdout are the connection to the first hop; its tokens are replaced. */
  readonly proxyCommand?: string;
}

/** One SSH server on a route. */
export interface Hop {
  /** For people: the name of the inventory, or what ProxyJump says. */
  readonly name: string;
  /** What the connection goes to. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** For the name lookup and the TCP connection. */
  readonly connectTimeoutMs: number;
  readonly hostKeys: HostKeyRules;
  readonly login: LoginRules;
  readonly algorithms: HopAlgorithms;
  /** Seconds-long silence: noticed after intervalMs x (countMax + 1). */
  readonly keepAlive: { readonly intervalMs: number; readonly countMax: number };
  /** Of the first hop only. */
  readonly bindAddress?: string;
  readonly addressFamily?: 4 | 6;
}

export interface HostKeyRules {
  /** `acceptNew` records the key of a host that is not known yet; a changed or revoked key fails in both modes. */
  readonly mode: 'strict' | 'acceptNew';
  /** Absolute paths, at least one; the first one learns. */
  readonly files: readonly string[];
  /** Looked up and recorded instead of the address; the port plays no part then, as in OpenSSH. */
  readonly alias?: string;
  /** A learned name is written as a hash. */
  readonly hashNames: boolean;
}

export interface LoginRules {
  /** Named by the inventory, the command line or ssh_config, in this order. Empty: none was named. */
  readonly identityFiles: readonly string[];
  /** For a hop that names no key; those that do not exist are passed over. */
  readonly defaultIdentityFiles: readonly string[];
  /** Agent keys that no named file belongs to are not offered. Also so where the inventory or the command line names the key. */
  readonly identitiesOnly: boolean;
  readonly certificateFiles: readonly string[];
  /** Absent: no agent. */
  readonly agentSocket?: string;
  /** For the methods `password` and `keyboard-interactive`. */
  readonly password?: SecretSource;
  /** What ssh_config allows. Keys go first always; the order counts for the others. Absent: all three. */
  readonly methods?: readonly ('publickey' | 'password' | 'keyboard-interactive')[];
  /** Signature algorithms that may be used, best first (PubkeyAcceptedAlgorithms). */
  readonly signatures: readonly string[];
}

export interface HopAlgorithms extends AlgorithmOffer {
  /** Some of the offer is weak: asked for, and told. */
  readonly legacy: boolean;
}
