/** What ssh_config says of the way to one name. Data; a field that is absent was not said, and the reader's own default counts. */
import type { AlgorithmList } from './algorithm-list.js';
import type { Place } from './parsed-config.js';
import type { JumpHost } from './proxy-jump.js';

/** Who is asked for, and who asks: what patterns, Match and tokens compare with. */
export interface AskedFor {
  /** As a person would give it to `ssh`: %n. */
  readonly name: string;
  /** From the inventory or the command line: they beat the files, and Match user and %r see them. */
  readonly user?: string;
  readonly port?: number;
  /** The way to it was said elsewhere: what ProxyJump says here does not count. */
  readonly isWaySaid?: boolean;
  /** The user that runs this process. */
  readonly localUser: string;
  /** As `hostname` says: %l, and its first label %L. */
  readonly localHost: string;
  /** Absolute; of `localUser`. */
  readonly home: string;
  readonly uid: number;
  /** For ${NAME}. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Home directories of other users, for `~name/`; undefined: there is no such user. */
  readonly homeOf?: (user: string) => string | undefined;
}

export interface SshConfig {
  /** The name with HostName applied, in lower case; an address as OpenSSH writes it. What the connection goes to. */
  readonly hostName: string;
  /** What ssh_config says; `asked.user` where that is given. */
  readonly user?: string;
  readonly port?: number;
  /** Absent: none was named, so the default keys count. Empty: `IdentityFile none`. Tokens and `~` replaced; a relative path is relative to the working directory. */
  readonly identityFiles?: readonly string[];
  readonly identitiesOnly?: boolean;
  /** `none`; `SSH_AUTH_SOCK`: the socket that the environment names; else a path. */
  readonly identityAgent?: string;
  /** Empty where none is named. */
  readonly certificateFiles: readonly string[];
  /** The nearest first. `none`: no jump, and none from a later line. */
  readonly proxyJump?: readonly JumpHost[] | 'none';
  /** Tokens replaced: OpenSSH runs it as `sh -c "exec TEXT"`. `none`: no proxy, and none from a later line. At most one of proxyJump and proxyCommand is set. */
  readonly proxyCommand?: string;
  /** Empty: `none`. A relative path is relative to the working directory. */
  readonly userKnownHostsFiles?: readonly string[];
  readonly globalKnownHostsFiles?: readonly string[];
  readonly strictHostKeyChecking?: 'yes' | 'no' | 'accept-new' | 'ask';
  /** A file of keys that are never to be trusted, as it is written; absent also for `none`. */
  readonly revokedHostKeys?: string;
  readonly hostKeyAlias?: string;
  readonly hashKnownHosts?: boolean;
  readonly connectTimeoutMs?: number;
  /** 0: off. */
  readonly serverAliveIntervalMs?: number;
  readonly serverAliveCountMax?: number;
  readonly kexAlgorithms?: AlgorithmList;
  readonly ciphers?: AlgorithmList;
  readonly macs?: AlgorithmList;
  readonly hostKeyAlgorithms?: AlgorithmList;
  readonly pubkeyAcceptedAlgorithms?: AlgorithmList;
  /** Absent: any. */
  readonly addressFamily?: 4 | 6;
  readonly bindAddress?: string;
  /** In the order of preference. */
  readonly preferredAuthentications?: readonly string[];
  readonly passwordAuthentication?: boolean;
  readonly kbdInteractiveAuthentication?: boolean;
  readonly pubkeyAuthentication?: boolean;
  /** Where each value stands, by the field's name above; of a list: where its first part stands. */
  readonly origins: Readonly<Partial<Record<OptionField, Place>>>;
  readonly remarks: ConfigRemarks;
}

export type OptionField = Exclude<keyof SshConfig, 'origins' | 'remarks'>;

/** What a person must know because it is not done. Each option and place once, in the order of the files. */
export interface ConfigRemarks {
  /** It would change the way to this host, and is not done: `transport: openssh` does it. */
  readonly unsupported: readonly OptionRemark[];
  /** It has no meaning for a program that runs no terminal and forwards nothing. */
  readonly meaningless: readonly OptionRemark[];
  /** `Match exec` is never run, so what stands below it does not count. */
  readonly notRun: readonly Place[];
}

export interface OptionRemark {
  /** As OpenSSH spells it. */
  readonly option: string;
  readonly place: Place;
}
