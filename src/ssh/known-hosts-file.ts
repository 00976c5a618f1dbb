/**
 * The known_hosts files on disk: read, re-read when they changed, and taught new keys. Appends one whole line under a
 * lock after looking again, so that parallel connections and processes write each key once. Never rewrites or removes
 * a line, and never writes to any but the first file.
 */
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FleetmendError } from '../core/failure.js';
import { codeOf, knownHostsUnreadableFailure } from './failures.js';
import { withFileLock } from './file-lock.js';
import { keyTypeOf } from './fingerprint.js';
import { createKnownHosts, parseKnownHosts } from './known-hosts.js';
import { readSmallFile } from './read-small-file.js';
import type { HostKeyVerdict, KnownHosts, LookupName } from './known-hosts.js';

export interface HostKeyStore {
  /** The file that learns. */
  readonly learningFile: string;
  /** What the files say now. Rejects with FleetmendError (hostKeyUnknown) when one of them exists but cannot be read. */
  load(): Promise<HostKeys>;
  /**
   * Records a key that was judged unknown, unless somebody did so meanwhile. Resolves to the verdict that holds now:
   * `known` after writing; anything else, and nothing written, when somebody was faster with another key.
   * Rejects when the line cannot be written.
   */
  learn(name: LookupName, key: Uint8Array): Promise<HostKeyVerdict>;
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
const ABSENT: Stamp = { text: 'absent', size: 0 };

/** Names that mean something else inside a known_hosts line are never written. */
const RECORDABLE_NAME = /^[a-z0-9_.:%[\]-]+$/;

export function createHostKeyStore(files: readonly string[]): HostKeyStore {
  const [learningFile] = files;
  if (learningFile === undefined) throw new TypeError('at least one known_hosts file is needed');
  let current: Snapshot | undefined;
  let loading: Promise<Snapshot> | undefined;
  let lastLearning: Promise<unknown> = Promise.resolve();

  const refresh = async (): Promise<Snapshot> => {
    const stamps = await Promise.all(files.map(stampOf));
    if (current === undefined || !sameStamps(current.stamps, stamps)) current = await readAll(files, stamps);
    return current;
  };

  const learnUnderLock = async (name: LookupName, key: Buffer, keyType: string): Promise<HostKeyVerdict> => {
    const snapshot = await refresh();
    const before = snapshot.known.judge(name, key);
    if (before.verdict !== 'unknown' || before.otherTypes.length > 0) return before;
    const line = `${name.exact} ${keyType} ${key.toString('base64')}\n`;
    const text = snapshot.endsWithNewline ? line : `\n${line}`;
    await appendOnce(learningFile, text);
    current = await withAppended(snapshot, learningFile, line, Buffer.byteLength(text));
    return (await refresh()).known.judge(name, key);
  };

  return {
    learningFile,
    load() {
      loading ??= refresh().finally(() => {
        loading = undefined;
      });
      return loading;
    },
    learn(name, key) {
      const keyType = keyTypeOf(key);
      if (!RECORDABLE_NAME.test(name.exact)) return Promise.reject(new Error('the address has characters that known_hosts cannot hold'));
      if (keyType === undefined) return Promise.reject(new Error('this is not a host key'));
      const learning = lastLearning.then(async () => {
        await makeParent(learningFile);
        return withFileLock(`${learningFile}.lock`, () => learnUnderLock(name, Buffer.from(key), keyType));
      });
      lastLearning = learning.catch(() => undefined);
      return learning;
    },
  };
}

/** ~/.ssh may be missing, what is above it is not. Not recursive: where nothing can be made, as in /proc, that tries for ever. */
async function makeParent(file: string): Promise<void> {
  await mkdir(dirname(file), { mode: 0o700 }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

async function stampOf(file: string): Promise<Stamp> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return { text: `${ino}:${size}:${mtimeNs}`, size: Number(size) };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ABSENT;
    throw new FleetmendError(knownHostsUnreadableFailure(file, codeOf(error)), { cause: error });
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
