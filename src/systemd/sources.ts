/** The files that decide a service's command line, as read from a node, and what can be said of them. */
import type { ByteText } from '../core/bytes.js';

export interface UnitSourceFile {
  readonly path: string;
  readonly text: ByteText;
}

export interface UnitSources {
  /** `kubelet.service`: for specifiers. */
  readonly unit: string;
  readonly fragment: UnitSourceFile;
  /** In systemd's own load order (as in DropInPaths). */
  readonly dropIns: readonly UnitSourceFile[];
  /** By path as written in EnvironmentFile=; `undefined`: the file does not exist. */
  readonly environmentFiles: ReadonlyMap<string, ByteText | undefined>;
}

/** Where one word of a command line was written. */
export interface WordOrigin {
  readonly path: string;
  readonly directive: 'ExecStart' | 'Environment' | 'EnvironmentFile';
  /** The variable that carried it; absent for a word written in ExecStart= itself. */
  readonly variable?: string;
  /** Half-open range in that file's byte text; absent when the word was put together from several places. */
  readonly range?: readonly [start: number, end: number];
}

export interface PredictedWord {
  /** Read as UTF-8, as the process would print it. */
  readonly value: string;
  readonly origin: WordOrigin;
}

export interface Prediction {
  /** argv[0] included (the path of the binary, or what `@` sets). Empty when the unit would not start. */
  readonly words: readonly PredictedWord[];
  /** Why systemd would refuse to start it; absent when it would try. */
  readonly wouldNotStart?: string;
  /** Why nothing can be said of the command line: variables blow it up beyond what is worth predicting. There are no words then. */
  readonly unbounded?: string;
  /** Lines that systemd ignores, with file and line number: the silent losses. */
  readonly ignored: readonly string[];
}

export interface SourceChange {
  readonly path: string;
  readonly before: ByteText;
  readonly after: ByteText;
}

export type RemovalResult =
  | { readonly ok: true; readonly changes: readonly SourceChange[] }
  | { readonly ok: false; readonly path: string; readonly reason: string };
