/**
 * A node in memory that repeats a real one at the level of the host protocol: files, a service manager and
 * a kubelet, lock and guard, power cuts and boots, over an injected clock. It uses the project's own pure modules
 * to decide what systemd would start and what a kubelet would run with, so it cannot catch an error of theirs:
 * real nodes do that.
 *
 * What it does NOT do:
 * - run any shell text: the protocol's library is skipped unread (the sh tests and real nodes cover it);
 * - services other than Type=simple, ExecStartPre, conditions, watchdogs, generators; of dependencies only who is restarted along; of timers and
 *   boot units only the guard's, of whose unit file only the name and the link count;
 * - let time pass inside a call: a restart returns at once, events fall due between calls by the clock. A guard that
 *   is due fires at the next look at the node, with the time at which it was due, so never inside an effect: nothing
 *   comes between an effect's looks at lock and guard and its rename;
 * - lose what was not durable: a power cut keeps every file as it is, and an effect is either done or not begun;
 * - two visits that break one lock at once: the tombstone is made, but nobody can be seen losing the race for it;
 * - refuse names of runs or sessions and paths that make no sense: the host session does that;
 * - tell `notLocked` and `superseded` apart as every real node does: an earlier visit of the same run is `superseded` here,
 *   also where a real node first sees that its file is gone from the lock; and so is one that was open when the guard fired;
 * - the claims of visits, a guard's script and the log as files (order and settings are files, as JSON);
 * - deadlines of programs on the node, syslog;
 * - permissions beyond "root or not, and the mode says so"; no ACL, xattr, SELinux labels, capabilities;
 * - the inode and block accounting of a real file system: a full disk is a number of bytes left;
 * - processes of several users: who is not root may look at no process at all; no zombies, no hidepid; a boot goes
 *   on counting pids;
 * - properties of `systemctl show` beyond those in fake-answers.ts (`Environment` and `ExecStart` are raw text);
 * - kubelet flags: an unknown flag does not stop it unless the project's parser says so; healthz on one address.
 */
import type { Effect, EffectResult } from '../../src/core/effect.js';
import { digestOf } from '../../src/core/bytes.js';
import type { Host } from '../../src/core/host.js';
import type { Answer, CapabilityAnswer, Query } from '../../src/core/query.js';
import { answerQuery, type AnswerParts, type OtherProcess } from './fake-answers.js';
import { performEffect, type EffectParts } from './fake-effects.js';
import { FakeFiles, type FileSeed } from './fake-files.js';
import { spawnProcess, type KubeletFault } from './fake-kubelet.js';
import { runTimer } from './fake-guard-firing.js';
import { beat } from './fake-lock.js';
import { createNodeTime, type NodeClock } from './fake-node-time.js';
import { createPower } from './fake-power.js';
import { predictStart } from './fake-start.js';
import { FakeSystemd } from './fake-systemd.js';
import { createVisits, nextVisit } from './fake-visits.js';
import type { NodeSpec } from './layouts.js';

export type { NodeClock } from './fake-node-time.js';

export interface FakeNodeOptions {
  readonly name: string;
  readonly clock: NodeClock;
  readonly spec: NodeSpec;
  /** More files, over those of the spec. */
  readonly files?: Readonly<Record<string, FileSeed>>;
  readonly faults?: readonly KubeletFault[];
  readonly others?: readonly OtherProcess[];
  /** What a user who is not root gets from sudo. Default: root. */
  readonly sudo?: 'allowed' | 'refused';
  readonly capability?: Partial<Omit<CapabilityAnswer, 'uid'>>;
  /** The unit runs when the node comes to life. Default: true. */
  readonly started?: boolean;
  readonly hostKey?: string;
  /** From the guard's files being back to the end of its activations; it is seen at work meanwhile. Default: 0. */
  readonly guardTakesMs?: number;
}

/** Who asks. Root unless told; the number of a writing visit, which keeps its lock alive by asking. */
export interface Asker {
  readonly uid?: number;
  readonly visit?: number;
}

/** Who acts: a user by the number of a writing visit. */
export interface Actor {
  readonly uid: number;
  readonly visit: number;
}

export interface FakeNode {
  readonly name: string;
  readonly unit: string;
  /** A look at them lets everything happen that is due. */
  readonly files: FakeFiles;
  /** A look at it lets everything happen that is due. */
  readonly systemd: FakeSystemd;
  readonly hostKey: string;
  readonly sudo: 'allowed' | 'refused';
  /** Of the kubelet; may be changed at any time, counts from the next start on. */
  faults: readonly KubeletFault[];
  /** How often the node has come up. A session of an earlier life is lost. `undefined` while the power is off. */
  readonly life: number | undefined;
  /** Who a session of this host is: 0 for root; `undefined` when sudo refuses. */
  uidOf(host: Host): number | undefined;
  /** A writing shell starts: its number, higher than those of all before. */
  newVisit(): number;
  /** Throws a RangeError while the power is off, and so does `perform`. */
  ask(query: Query, asker?: Asker): Answer;
  perform(effect: Effect, actor: Actor): EffectResult;
  /** Lets everything happen that is due by the clock. Every call and every look does this first. */
  passTime(): void;
  /** The timer of this run's guard runs out now, whatever the clock says. Nothing happens when it is not armed. */
  fireGuard(run: string): void;
  /** Files stay as they are; processes, timers and visits are gone. Boots by itself after `bootsAfterMs`, or never. */
  powerCut(bootsAfterMs?: number): void;
  /** The guards first, then the unit, from what is on the disk. Cuts the power before when it is on. */
  boot(): void;
}

/** The node has been up for ten minutes, its files are a day old, its kubelet runs since the boot. */
const UP_MS = 600_000;
const FILES_AGE_SECONDS = 86_400;

export function createFakeNode(options: FakeNodeOptions): FakeNode {
  const { name, spec } = options;
  const time = createNodeTime(options.clock);
  let makingFiles = true;
  const files = new FakeFiles(() => time.nowSeconds() - (makingFiles ? FILES_AGE_SECONDS : 0));
  for (const [path, seed] of Object.entries({ ...spec.layout.files, ...spec.files, ...options.files })) files.seed(path, seed);
  files.seed('/var/lib/.keep', '');

  let faults = options.faults ?? spec.faults ?? [];
  let capability = { ...defaultCapability(name), ...options.capability };
  const systemd = new FakeSystemd({
    name,
    files,
    monotonicMs: time.monotonicMs,
    predict: (loaded) => predictStart(files, loaded),
    spawn: (argv, cwd) => spawnProcess({ files, argv, cwd, faults }),
  });
  const { unit } = spec.layout;
  if (options.started !== false) systemd.boot(unit);
  makingFiles = false;
  time.start(UP_MS);
  const parts: AnswerParts & EffectParts = {
    files, systemd, visits: createVisits(), timers: new Map(), guardTakesMs: options.guardTakesMs ?? 0,
    monotonicMs: time.monotonicMs, nowSeconds: time.nowSeconds,
    get capability() {
      return capability;
    },
    others: options.others ?? [],
    versions: spec.layout.versions,
  };

  const power = createPower({
    ...parts,
    time,
    get capability() {
      return capability;
    },
    ...(options.started === false ? {} : { unit }),
    onBoot: (boots) => {
      capability = { ...capability, bootId: bootIdOf(`boot ${boots} of ${name}`) };
    },
  });
  const look = (): void => {
    power.passTime();
    if (power.life() === undefined) throw new RangeError(`${name} has no power`);
  };
  return {
    name, unit,
    hostKey: options.hostKey ?? `SHA256:${digestOf(Buffer.from(name)).slice(0, 43)}`,
    sudo: options.sudo ?? 'allowed',
    get faults() {
      return faults;
    },
    set faults(more) {
      faults = more;
    },
    get files() {
      power.passTime();
      return files;
    },
    get systemd() {
      power.passTime();
      return systemd;
    },
    get life() {
      power.passTime();
      return power.life();
    },
    uidOf: (host) => (host.user === 'root' ? 0 : host.become === 'none' ? ORDINARY_UID : options.sudo === 'refused' ? undefined : 0),
    newVisit: () => {
      power.passTime();
      return nextVisit(parts.visits);
    },
    ask: (query, { uid = 0, visit } = {}) => {
      look();
      if (visit !== undefined) beat(parts, visit);
      return answerQuery(parts, query, uid);
    },
    perform: (effect, { uid, visit }) => {
      look();
      return uid === 0 ? performEffect(parts, effect, visit) : { ok: false, effect: 'none', reason: 'denied', detail: 'not root' };
    },
    passTime: power.passTime,
    fireGuard: (run) => {
      look();
      runTimer(parts, { run, atMs: parts.monotonicMs() });
    },
    powerCut: power.cut,
    boot: power.boot,
  };
}

const ORDINARY_UID = 1000;

function defaultCapability(name: string): Omit<CapabilityAnswer, 'uid'> {
  return {
    hostname: name,
    kernel: '6.1.0-fake',
    bootId: bootIdOf(`boot of ${name}`),
    systemd: 252,
    tools: ['base64', 'sha256sum', 'stat', 'timeout', 'lsattr', 'systemctl', 'systemd-run', 'curl', 'bash', 'logger', 'mktemp', 'sync'],
  };
}

function bootIdOf(text: string): string {
  const id = digestOf(Buffer.from(text));
  return [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20, 32)].join('-');
}
