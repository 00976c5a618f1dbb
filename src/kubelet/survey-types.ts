/**
 * What a survey knows of one node's kubelet, as data: the running process, the files it was told to read, and what
 * systemd would start next. Holds what was seen and what could not be seen; never a judgement.
 */
import type { FileReading, ProcessFacts, UnitAnswer } from '../core/query.js';
import type { Prediction, UnitSources } from '../systemd/sources.js';
import type { KubeletCommand } from './command.js';
import type { DecodedConfig } from './config-file.js';

/** One KubeletConfiguration file, main or drop-in. */
export interface ConfigFile {
  /** Absolute, as the kubelet would open it. */
  readonly path: string;
  /** After every symlink; absent when there is no file or it could not be looked at. */
  readonly realPath?: string;
  /** The raw answer: bytes, mode, modifiedAt, or why there are none. */
  readonly file: FileReading;
  /** Absent when there are no bytes to decode (missing, a directory, could not be read). */
  readonly decoded?: DecodedConfig;
}

export interface ConfigDirectory {
  /** Absolute; a trailing slash is kept, because it matters for a link (kubelet.md 2.2). */
  readonly path: string;
  /** `link`: the directory itself is a symlink, so nothing in it is loaded. `missing` is fatal at a start. */
  readonly state: 'walked' | 'link' | 'notDirectory' | 'missing' | 'unread';
  /** Why it is `unread`. */
  readonly detail?: string;
  /** In the order in which the kubelet merges them: the last one wins. */
  readonly dropIns: readonly ConfigFile[];
  /** Files there that the kubelet does not load, relative to the directory. */
  readonly skipped: readonly string[];
  /** The directory itself: its time of change tells of files that were added or taken away. */
  readonly self?: FileReading;
}

export interface KubeletVersion {
  readonly text: string;
  /** 29 of `Kubernetes v1.29.10-eks-94953ac`; absent when the text is not like that. */
  readonly minor?: number;
}

/** What a command line makes the kubelet read. */
export interface ConfigFiles {
  /** Absent: no `--config`. */
  readonly config?: ConfigFile;
  /** Absent: no `--config-dir`. */
  readonly directory?: ConfigDirectory;
  /** Asked only when drop-ins are loaded. Absent: not asked, or not known. */
  readonly version?: KubeletVersion;
}

/** What systemd would start now, from the files on disk. */
export type NextStart =
  | {
      readonly predicted: true;
      readonly sources: UnitSources;
      readonly prediction: Prediction;
      /** The predicted command line; absent when systemd would not start it (`prediction.wouldNotStart`). */
      readonly command?: KubeletCommand;
      /** What that command line reads; the very object of the running kubelet when both read the same. */
      readonly files: ConfigFiles;
    }
  /** `sources` when the files could be read and yet nothing can be said, as with a wrapper script. */
  | { readonly predicted: false; readonly reason: string; readonly sources?: UnitSources };

interface Surveyed {
  readonly unit: string;
  readonly answer: UnitAnswer;
  readonly next: NextStart;
  /** Unit file, drop-ins and environment files, by the path they were asked for. */
  readonly unitFiles: ReadonlyMap<string, FileReading>;
  /** Remarks for people. */
  readonly notes: readonly string[];
}

export interface RunningKubelet extends Surveyed {
  readonly state: 'running';
  readonly process: ProcessFacts;
  readonly command: KubeletCommand;
  readonly files: ConfigFiles;
  /** Each line: how the disk differs from the running process, or from what systemd has loaded. */
  readonly drift: readonly string[];
  /** Config files, drop-ins and their directory that were changed after the process had started: it may run with other content. */
  readonly staleConfig: readonly string[];
  /** The same of unit file, drop-ins and environment files: they need not explain the running command line. */
  readonly staleUnitFiles: readonly string[];
}

export interface StoppedKubelet extends Surveyed {
  readonly state: 'notRunning';
  readonly why: 'inactive' | 'failed' | 'starting' | 'masked' | 'other';
  readonly reason: string;
}

export type KubeletSurvey =
  | RunningKubelet
  | StoppedKubelet
  /** There is a kubelet, but not one whose files can be mended here: embedded, or in a container. */
  | { readonly state: 'notApplicable'; readonly unit: string; readonly reason: string }
  /** `otherUnit`: the kubelet runs under this unit instead. */
  | { readonly state: 'unknown'; readonly unit: string; readonly reason: string; readonly otherUnit?: string };
