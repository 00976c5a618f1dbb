/** What the host session's contract needs of a node: a way to reach it, and a hand behind its back to arrange and look. */
import type { Connector } from '../../src/core/ports.js';
import type { Host } from '../../src/core/host.js';

export interface LookedAt {
  /** Of the path itself, symlinks not followed. */
  readonly kind: 'file' | 'directory' | 'link';
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds since the epoch. */
  readonly modifiedAt: number;
}

export interface NodeUnderTest {
  readonly connector: Connector;
  readonly host: Host;
  /** An empty directory on the node, absolute and real, this test's own. */
  readonly root: string;
  /** Creates parents. Mode 0644 and the present time unless told. */
  put(path: string, content: Uint8Array | string, options?: { readonly mode?: number; readonly modifiedAt?: number }): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  /** A symlink at `path`. */
  link(path: string, target: string): Promise<void>;
  look(path: string): Promise<LookedAt | undefined>;
  /** Names in a directory, hidden ones too, sorted. */
  names(directory: string): Promise<string[]>;
  /** Makes every sign of life of the lock, and what is left of broken ones, this much older. */
  silence(ms: number): Promise<void>;
  /** Ends everything; removes `root` and the node's state directory. */
  close(): Promise<void>;

  // Abilities: absent where the node cannot; the tests that need one then say that they were skipped.
  /** A second name `path` for the file `target`. */
  hardLink?(path: string, target: string): Promise<void>;
  /** Gives a file or directory this time of modification, whole seconds since the epoch. */
  age?(path: string, modifiedAt: number): Promise<void>;
  /** `chattr +i` and the like; gives the way back. */
  makeImmutable?(path: string): Promise<() => Promise<void>>;
  /** A read-only mount over the directory; gives the way back. */
  makeReadOnly?(directory: string): Promise<() => Promise<void>>;
  /** A full file system over the directory; what is in it stays; gives the way back. */
  fill?(directory: string): Promise<() => Promise<void>>;
  /** The next visit loses its connection after a request reached the node and before its answer left. */
  cutNextAnswer?(): void;
  /** Lets the guard of a run fire now, as its timer would or as the start of the node would, and waits for its end. */
  fireGuard?(run: string, when: 'timer' | 'boot'): Promise<void>;
  /** Timers cannot be made; gives the way back. */
  breakSystemdRun?(): Promise<() => Promise<void>>;
  /** A service that runs and may be restarted. */
  readonly unit?: string;
  /** Answers 200 and `ok` on the node's own loopback. */
  readonly healthUrl?: string;
}
