/**
 * The known_hosts files on disk: read, re-read when they changed, and taught new keys. Appends one whole line under a
 * lock after looking again, so that parallel connections and processes write each key once. Never rewrites or removes
 * a line, and never writes to any but the first file.
 */
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FleetmendError } from '../core/failure.js';
import { codeOf } from './failures.js';
import { LockedError, withFileLock } from './file-lock.js';
import type { LockWait } from './file-lock.js';
import { keyTypeOf } from './fingerprint.js';
import { knownHostsUnreadableFailure } from './host-key-failures.js';
import { hashedName } from './host-patterns.js';
import { createKnownHosts, parseKnownHosts } from './known-hosts.js';
import { readSmallFile, reasonUnread } from './read-small-file.js';
import type { HostKeyVerdict, KnownHosts, LookupName } from './known-hosts.js';

export interface HostKeyStore {
  /** The file that learns. */
  readonly learningFile: string;
  /** What the files say now. Rejects with FleetmendError (hostKeyUnknown) when one of them exists but cannot be read. */
  load(): Promise<HostKeys>;
  /**
   * Records a key that was judged unknown, unless somebody did so meanwhile. Resolves to the verdict that holds now:
   * `known` after writing; anything else, and nothing written, when somebody was faster with another key.
   * Rejects when the line cannot be written: with LockedError when another process keeps the file. That one is waited for once, for all
   * keys together, and not when every `signal` was aborted. `hashNames`: who reads the file does not learn which hosts there are.
   */
  learn(name: LookupName, key: Uint8Array, hashNames?: boolean, signal?: AbortSignal): Promise<HostKeyVerdict>;
}

export interface HostKeys {
  readonly known: KnownHosts;
  /** `FILE:LINE` of what could not be read. */
  readonly unreadable: readonly string[];
}

interface Snapshot extends HostKeys {
  readonly stamps: readonly Stamp[];
  /** Of the learning file. */
  readonly lineCount: number;
  readonly endsWithNewline: boolean;
}

/** Changes whenever the file does. */
interface Stamp {
  readonly text: string;
  readonly size: number;
}
interface Learning {
  readonly name: LookupName;
  readonly key: Buffer;
  readonly keyType: string;
  readonly hashNames: boolean;
  readonly signal: AbortSignal | undefined;
  resolve(verdict: HostKeyVerdict): void;
  reject(error: unknown): void;
}

const ABSENT: Stamp = { text: 'absent', size: 0 };

/** Names that mean something else inside a known_hosts line are never written. */
const RECORDABLE_NAME = /^[a-z0-9_.:%[\]-]+$/;

/** `patience`: with another process that keeps the learning file. */
export function createHostKeyStore(files: readonly string[], patience: Pick<LockWait, 'waitMs' | 'retryMs'> = {}): HostKeyStore {
  const [learningFile] = files;
  if (learningFile === undefined) throw new TypeError('at least one known_hosts file is needed');
  let current: Snapshot | undefined;
  let loading: Promise<Snapshot> | undefined;
  const waiting: Learning[] = [];
  let isLearning = false;
  let givenUp: string | undefined;

  const refresh = async (): Promise<Snapshot> => {
    const stamps = await Promise.all(files.map(stampOf));
    if (current === undefined || !sameStamps(current.stamps, stamps)) current = await readAll(files, stamps);
    return current;
  };

  const learnUnderLock = async (name: LookupName, key: Buffer, keyType: string, hashNames: boolean): Promise<HostKeyVerdict> => {
    const snapshot = await refresh();
    const before = snapshot.known.judge(name, key);
    if (before.verdict !== 'unknown' || before.otherTypes.length > 0) return before;
    const line = `${hashNames ? hashedName(name.exact) : name.exact} ${keyType} ${key.toString('base64')}\n`;
    const text = snapshot.endsWithNewline ? line : `\n${line}`;
    await appendOnce(learningFile, text);
    current = await withAppended(snapshot, learningFile, line, Buffer.byteLength(text));
    return (await refresh()).known.judge(name, key);
  };

  const learnAll = async (): Promise<void> => {
    if (isLearning) return;
    isLearning = true;
    while (waiting.length > 0) {
      try {
        if (!(await canLearn(learningFile))) throw new Error('it is no regular file');
        await makeParent(learningFile);
        const answers = await withFileLock(`${learningFile}.lock`, async () => {
          givenUp = undefined;
          const given: (() => void)[] = [];
          for (const { name, key, keyType, hashNames, resolve, reject } of waiting.splice(0)) {
            given.push(await learnUnderLock(name, key, keyType, hashNames).then((verdict) => () => resolve(verdict), (error: unknown) => () => reject(error)));
          }
          return given;
        }, { ...patience, isWanted: () => waiting.some(isWanted), givenUp });
        for (const answer of answers) answer();
      } catch (error) {
        if (error instanceof LockedError && waiting.some(isWanted)) givenUp = error.holder;
        for (const one of waiting.splice(0)) one.reject(error);
      }
    }
    isLearning = false;
  };

  return {
    learningFile,
    load() {
      loading ??= refresh().finally(() => {
        loading = undefined;
      });
      return loading;
    },
    learn(name, key, hashNames = false, signal) {
      const keyType = keyTypeOf(key);
      if (!RECORDABLE_NAME.test(name.exact)) return Promise.reject(new Error('the address has characters that known_hosts cannot hold'));
      if (keyType === undefined) return Promise.reject(new Error('this is not a host key'));
      return new Promise((resolve, reject) => {
        waiting.push({ name, key: Buffer.from(key), keyType, hashNames, signal, resolve, reject });
        void learnAll();
      });
    },
  };
}

function isWanted({ signal }: Learning): boolean {
  return signal?.aborted !== true;
}

/** /dev/null, which people name in order to forget, gets neither a lock beside it nor a key that is never found again. */
async function canLearn(file: string): Promise<boolean> {
  const stats = await stat(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  return stats === undefined || stats.isFile();
}

/** ~/.ssh may be missing, what is above it is not. Not recursive: where nothing can be made, as in /proc, that tries for ever. */
async function makeParent(file: string): Promise<void> {
  await mkdir(dirname(file), { mode: 0o700 }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

async function stampOf(file: string): Promise<Stamp> {
  try {
    const stats = await stat(file, { bigint: true });
    if (stats.isCharacterDevice()) return ABSENT; // /dev/null: people name it where they want none
    const { ino, size, mtimeNs } = stats;
    return { text: `${ino}:${size}:${mtimeNs}`, size: Number(size) };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ABSENT;
    throw new FleetmendError(knownHostsUnreadableFailure(file, reasonUnread(error)), { cause: error });
  }
}

function sameStamps(some: readonly Stamp[], others: readonly Stamp[]): boolean {
  return some.every((stamp, index) => stamp.text === others[index]?.text);
}

async function readAll(files: readonly string[], stamps: readonly Stamp[]): Promise<Snapshot> {
  const known = createKnownHosts();
  const unreadable: string[] = [];
  let learningText = '';
  for (const [index, file] of files.entries()) {
    const text = stamps[index] === ABSENT ? '' : await readText(file);
    const parsed = parseKnownHosts(text, file);
    known.add(parsed.lines);
    unreadable.push(...parsed.unreadableLines.map((line) => `${file}:${line}`));
    if (index === 0) learningText = text;
  }
  const endsWithNewline = learningText === '' || learningText.endsWith('\n');
  const lineCount = learningText.split('\n').length - (endsWithNewline ? 1 : 0);
  return { known, unreadable, stamps, lineCount, endsWithNewline };
}

/**
 * The snapshot with our own line, without reading the file again: learning the keys of a fleet stays linear.
 * `undefined` when the file is not just longer by our line: somebody else wrote too.
 */
async function withAppended(snapshot: Snapshot, file: string, line: string, addedBytes: number): Promise<Snapshot | undefined> {
  const stamp = await stampOf(file);
  if (stamp.size !== (snapshot.stamps[0]?.size ?? 0) + addedBytes) return undefined;
  snapshot.known.add(parseKnownHosts(line, file, snapshot.lineCount + 1).lines);
  return { ...snapshot, stamps: [stamp, ...snapshot.stamps.slice(1)], lineCount: snapshot.lineCount + 1, endsWithNewline: true };
}

async function readText(file: string): Promise<string> {
  try {
    return await readSmallFile(file);
  } catch (error) {
    throw new FleetmendError(knownHostsUnreadableFailure(file, codeOf(error)), { cause: error });
  }
}

/** One write with O_APPEND: whole or an error. */
async function appendOnce(file: string, line: string): Promise<void> {
  const handle = await open(file, 'a', 0o600);
  try {
    const { bytesWritten } = await handle.write(line);
    if (bytesWritten !== Buffer.byteLength(line)) throw new Error('only a part of the line could be written');
  } finally {
    await handle.close();
  }
}
