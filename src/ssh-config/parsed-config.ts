/** A configuration file of OpenSSH as it was read: one directive a line, with places, and the files that it includes. Data. */
import type { AlgorithmList } from './algorithm-list.js';
import type { Criterion } from './match-criteria.js';
import type { JumpHost } from './proxy-jump.js';

export interface Place {
  readonly file: string;
  /** Counts from 1. */
  readonly line: number;
}

/** `user`: ~/.ssh/config, or a file that was named. `system`: /etc/ssh/ssh_config, where an Include may not begin with `~`. */
export type ConfigScope = 'user' | 'system';

/** The values that are used, as written: before tokens, `~` and ${NAME} are replaced. */
export interface RawValues {
  readonly hostName: string;
  readonly user: string;
  readonly port: number;
  readonly identityFile: string;
  readonly identitiesOnly: boolean;
  readonly identityAgent: string;
  readonly certificateFile: string;
  readonly proxyJump: readonly JumpHost[] | 'none';
  readonly proxyCommand: string;
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly strictHostKeyChecking: 'yes' | 'no' | 'accept-new' | 'ask';
  readonly revokedHostKeys: string;
  readonly hostKeyAlias: string;
  readonly hashKnownHosts: boolean;
  readonly connectTimeoutMs: number;
  readonly serverAliveIntervalMs: number;
  readonly serverAliveCountMax: number;
  readonly kexAlgorithms: AlgorithmList;
  readonly ciphers: AlgorithmList;
  readonly macs: AlgorithmList;
  readonly hostKeyAlgorithms: AlgorithmList;
  readonly pubkeyAcceptedAlgorithms: AlgorithmList;
  readonly addressFamily: 'any' | 4 | 6;
  readonly bindAddress: string;
  readonly preferredAuthentications: string;
  readonly passwordAuthentication: boolean;
  readonly kbdInteractiveAuthentication: boolean;
  readonly pubkeyAuthentication: boolean;
  readonly canonicalizeHostname: boolean;
  readonly ignoreUnknown: string;
  readonly tag: string;
  readonly refuseConnection: string;
}

export type RawKey = keyof RawValues;
export type SetDirective = { [K in RawKey]: { readonly does: 'set'; readonly key: K; readonly value: RawValues[K] } }[RawKey];

export type Directive =
  | SetDirective
  | { readonly does: 'host'; readonly patterns: readonly string[] }
  | { readonly does: 'match'; readonly criteria: readonly Criterion[] }
  | { readonly does: 'include'; readonly patterns: readonly string[] }
  /** Known, and not used; `off`: its value asks for nothing, so that nobody need be told. */
  | { readonly does: 'nothing'; readonly option: string; readonly use: 'unsupported' | 'meaningless'; readonly off: boolean }
  | { readonly does: 'unknown'; readonly option: string; readonly column: number };

export interface ConfigLine {
  readonly place: Place;
  readonly directive: Directive;
}

export interface ParsedConfig {
  readonly file: string;
  readonly scope: ConfigScope;
  readonly lines: readonly ConfigLine[];
}

/** A file with the files that it includes. The loader makes it. */
export interface LoadedConfig extends ParsedConfig {
  /** By the line of the Include; in the order in which they count. */
  readonly included: ReadonlyMap<number, readonly LoadedConfig[]>;
}
