/**
 * The closed set of read-only questions to a node and their answers. Plain data: a question never
 * names a program to run, and an answer never contains a guess (what could not be read says why).
 */
export type Query =
  | { readonly ask: 'capability' }
  /** systemd's view of a unit and, when it has a main process, that process (both in one look). */
  | { readonly ask: 'unit'; readonly unit: string }
  | { readonly ask: 'process'; readonly pid: number }
  /** Every process whose executable has this base name, by /proc/PID/exe, never by a command line's text. */
  | { readonly ask: 'processes'; readonly exe: string }
  | { readonly ask: 'file'; readonly path: string }
  /** Recursive walk; symlinked directories are listed but not entered. */
  | { readonly ask: 'directory'; readonly path: string }
  /** Could a write to this path succeed? Looks only; touches nothing. */
  | { readonly ask: 'writable'; readonly path: string }
  | { readonly ask: 'http'; readonly url: string; readonly timeoutMs: number }
  /** Output of `EXE --version`. */
  | { readonly ask: 'version'; readonly exe: string }
  /** Text of `systemctl status UNIT`, as evidence only. */
  | { readonly ask: 'status'; readonly unit: string }
  /** Who holds the node. */
  | { readonly ask: 'lock' }
  /** What the guard of a run is doing. */
  | { readonly ask: 'guard'; readonly run: string };

export interface CapabilityAnswer {
  readonly uid: number;
  /** Not root, but single commands run as root: all can be looked at, and nothing written. */
  readonly scope?: 'commands';
  readonly hostname: string;
  readonly kernel: string;
  readonly bootId: string;
  /** Version number of systemd; absent when systemd does not run this node. */
  readonly systemd?: number;
  /** Tools that were found, of those the host protocol can use. */
  readonly tools: readonly string[];
}

export interface ProcessFacts {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: with the pid it names one process for ever (until reboot). */
  readonly startTicks: string;
  /** Seconds since the Unix epoch, by the node's own clock. */
  readonly startedAt: number;
  readonly cmdline: Uint8Array;
  readonly exe: string;
  /** The binary was replaced since the start. */
  readonly exeDeleted: boolean;
  readonly cwd: string;
  readonly cgroup: string;
  /** The process shares the pid and mount namespaces of pid 1 (it is not in a container). */
  readonly hostNamespaces: boolean;
}

export interface UnitAnswer {
  /** `systemctl show` by key; repeated keys are joined by a newline. LoadState tells whether the unit exists. */
  readonly properties: Readonly<Record<string, string>>;
  /** Absent when MainPID is 0 or the process was gone. */
  readonly process?: ProcessFacts;
  /** Node's monotonic clock at the answer, microseconds (as in systemd's *Monotonic properties). */
  readonly monotonicUs: number;
}

export interface ProcessAnswer {
  readonly process?: ProcessFacts;
}

export interface ProcessesAnswer {
  readonly pids: readonly number[];
  /** Processes whose executable could not be looked at (hidepid, no root): the list is then not complete. */
  readonly unreadable: number;
}

export type FileAnswer =
  | { readonly exists: false }
  | {
      readonly exists: true;
      readonly kind: 'file' | 'directory' | 'other';
      /** After following every symlink. */
      readonly realPath: string;
      readonly viaLink: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      readonly size: number;
      readonly links: number;
      readonly inode: string;
      /** Seconds since the epoch with fraction where the node's stat gives one. */
      readonly modifiedAt: number;
      /** Empty for anything but a regular file. */
      readonly bytes: Uint8Array;
    };

export interface DirectoryEntry {
  /** Relative to the directory asked for, with `/`. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  /** What a link leads to. */
  readonly target?: 'file' | 'directory' | 'missing' | 'other';
}

export type DirectoryAnswer =
  | { readonly exists: false }
  | { readonly exists: true; readonly isDirectory: boolean; readonly isLink: boolean; readonly entries: readonly DirectoryEntry[] };

export type WritableAnswer =
  | { readonly writable: true; readonly links: number; readonly freeBytes: number }
  | {
      readonly writable: false;
      readonly reason: 'readOnlyMount' | 'immutable' | 'mountPoint' | 'noSpace' | 'notRegular' | 'notRoot' | 'missingDirectory';
      readonly detail: string;
    };

export interface HttpAnswer {
  readonly status: number;
  /** First 4 KiB. */
  readonly body: string;
}

export interface VersionAnswer {
  readonly text: string;
}

export interface StatusAnswer {
  readonly exit: number;
  readonly text: string;
}

export type LockAnswer =
  | { readonly held: false; readonly armed?: string }
  | {
      readonly held: true;
      /** Another run than the holder's whose guard is armed or at work here: it may yet change this node. */
      readonly armed?: string;
      /** Empty, like `who` and `session`, when its maker came no further than the directory. */
      readonly run: string;
      readonly who: string;
      readonly session: string;
      readonly heldForMs: number;
      /** Since the last sign of life of the holder. */
      readonly silentForMs: number;
      readonly staleAfterMs: number;
      /** The holder has begun to change the node and has not said that it is done. */
      readonly touched: boolean;
      /** Of the holder's run. */
      readonly guard: GuardState;
      /** Once that guard has fired: it restored and activated everything. */
      readonly guardOk?: boolean;
    };

/** `firing`: at work right now. `fired`: it has put the node back, or has tried to. */
export type GuardState = 'none' | 'armed' | 'firing' | 'fired' | 'disarmed';

export interface GuardAnswer {
  readonly state: GuardState;
  /** While armed, unless the node was rebooted since. */
  readonly firesInMs?: number;
  /** Once fired: every file is restored and every activation went well. */
  readonly ok?: boolean;
  /** Once fired: what it did, line by line. */
  readonly report?: string;
}

interface AnswerValues {
  readonly capability: CapabilityAnswer;
  readonly unit: UnitAnswer;
  readonly process: ProcessAnswer;
  readonly processes: ProcessesAnswer;
  readonly file: FileAnswer;
  readonly directory: DirectoryAnswer;
  readonly writable: WritableAnswer;
  readonly http: HttpAnswer;
  readonly version: VersionAnswer;
  readonly status: StatusAnswer;
  readonly lock: LockAnswer;
  readonly guard: GuardAnswer;
}

/** Why there is no answer. `failed` covers everything a tool on the node said no to, with its words in `detail`. */
export type UnansweredReason = 'denied' | 'missingTool' | 'timeout' | 'tooLarge' | 'changing' | 'failed';

export type AnswerTo<Q extends Query> =
  | { readonly ok: true; readonly ask: Q['ask']; readonly value: AnswerValues[Q['ask']] }
  | { readonly ok: false; readonly ask: Q['ask']; readonly reason: UnansweredReason; readonly detail: string };

export type Answer = { [K in Query['ask']]: AnswerTo<Extract<Query, { ask: K }>> }[Query['ask']];

/** The answer to a question for a file. */
export type FileReading = AnswerTo<Extract<Query, { ask: 'file' }>>;

/** A pure program that asks the node: each yield is a batch of independent questions (one round trip). */
export type Questions<T> = Generator<readonly Query[], T, readonly Answer[]>;

/** Asks independent questions in one round trip: `const [unit, file] = yield* ask({ask:'unit',...}, {ask:'file',...})`. */
export function* ask<const Q extends readonly Query[]>(...queries: Q): Questions<{ -readonly [I in keyof Q]: AnswerTo<Q[I]> }> {
  const answers = yield queries;
  // The session answers in the order asked; its contract suite proves it.
  return answers as unknown as { -readonly [I in keyof Q]: AnswerTo<Q[I]> };
}
