/**
 * A node in memory that repeats a real one at the level of the host protocol: files, a service manager and
 * a kubelet, over an injected clock. It uses the project's own pure modules to decide what systemd would
 * start and what a kubelet would run with, so it cannot catch an error of theirs: real nodes do that.
 *
 * What it does NOT do:
 * - run any shell text: the protocol's library is skipped unread (the sh tests and real nodes cover it);
 * - services other than Type=simple, ExecStartPre, conditions, dependencies, timers, watchdogs, generators;
 * - let time pass inside a call: a restart returns at once, events fall due between calls by the clock;
 * - permissions beyond "root or not, and the mode says so"; no ACL, xattr, SELinux labels, capabilities;
 * - the inode and block accounting of a real file system: a full disk is a number of bytes left;
 * - processes of several users: who is not root may look at no process at all; no zombies, no hidepid;
 * - properties of `systemctl show` beyond those in fake-answers.ts (`Environment` and `ExecStart` are raw text);
 * - kubelet flags: an unknown flag does not stop it unless the project's parser says so; healthz on one address;
 * - reboots, the guard's timer, syslog, the lock directory.
 */
import type { Effect, EffectResult } from '../../src/core/effect.js';
import { digestOf } from '../../src/core/bytes.js';
import type { Host } from '../../src/core/host.js';
import type { Answer, CapabilityAnswer, Query } from '../../src/core/query.js';
import { answerQuery, type AnswerParts, type OtherProcess } from './fake-answers.js';
import { performEffect } from './fake-effects.js';
import { FakeFiles, type FileSeed } from './fake-files.js';
import { spawnProcess, type KubeletFault } from './fake-kubelet.js';
import { predictStart } from './fake-start.js';
import { FakeSystemd } from './fake-systemd.js';
import type { NodeSpec } from './layouts.js';

/** The only source of time: `src/core/ports.ts` Clock fits. */
export interface NodeClock {
  now(): Date;
  monotonicMs(): number;
}

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
}

export interface FakeNode {
  readonly name: string;
  readonly unit: string;
  readonly files: FakeFiles;
  readonly systemd: FakeSystemd;
  readonly hostKey: string;
  readonly sudo: 'allowed' | 'refused';
  /** Of the kubelet; may be changed at any time, counts from the next start on. */
  faults: readonly KubeletFault[];
  /** Who a session of this host is: 0 for root; `undefined` when sudo refuses. */
  uidOf(host: Host): number | undefined;
  /** `uid` defaults to root. */
  ask(query: Query, uid?: number): Answer;
  perform(effect: Effect, uid?: number): EffectResult;
}

/** The node has been up for ten minutes, its files are a day old, its kubelet runs since the boot. */
const UP_MS = 600_000;
const FILES_AGE_SECONDS = 86_400;

export function createFakeNode(options: FakeNodeOptions): FakeNode {
  const { name, clock, spec } = options;
  const bornMs = clock.monotonicMs();
  let booting = true;
  const monotonicMs = (): number => (booting ? 20_000 : UP_MS + clock.monotonicMs() - bornMs);
  const nowSeconds = (): number => clock.now().getTime() / 1000;
  const files = new FakeFiles(() => (booting ? nowSeconds() - FILES_AGE_SECONDS : nowSeconds()));
  for (const [path, seed] of Object.entries({ ...spec.layout.files, ...spec.files, ...options.files })) files.seed(path, seed);
  files.seed('/var/lib/.keep', '');

  const node: { faults: readonly KubeletFault[] } = { faults: options.faults ?? spec.faults ?? [] };
  const systemd = new FakeSystemd({
    name,
    files,
    monotonicMs,
    predict: (loaded) => predictStart(files, loaded),
    spawn: (argv, cwd) => spawnProcess({ files, argv, cwd, faults: node.faults }),
  });
  if (options.started !== false) systemd.boot(spec.layout.unit);
  booting = false;
  const parts: AnswerParts = {
    files, systemd, monotonicMs, nowSeconds,
    capability: { ...defaultCapability(name), ...options.capability },
    others: options.others ?? [],
    versions: spec.layout.versions,
  };
  const hasSystemd = parts.capability.systemd !== undefined;
  return Object.assign(node, {
    name, unit: spec.layout.unit, files, systemd,
    hostKey: options.hostKey ?? `SHA256:${digestOf(Buffer.from(name)).slice(0, 43)}`,
    sudo: options.sudo ?? ('allowed' as const),
    uidOf: (host: Host) => (host.user === 'root' ? 0 : host.become === 'none' ? ORDINARY_UID : options.sudo === 'refused' ? undefined : 0),
    ask: (query: Query, uid = 0) => answerQuery(parts, query, uid),
    perform: (effect: Effect, uid = 0): EffectResult =>
      uid === 0 ? performEffect({ files, systemd, hasSystemd }, effect) : { ok: false, effect: 'none', reason: 'denied', detail: 'not root' },
  });
}

const ORDINARY_UID = 1000;

function defaultCapability(name: string): Omit<CapabilityAnswer, 'uid'> {
  const id = digestOf(Buffer.from(`boot of ${name}`));
  return {
    hostname: name,
    kernel: '6.1.0-fake',
    bootId: [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20, 32)].join('-'),
    systemd: 252,
    tools: ['base64', 'sha256sum', 'stat', 'timeout', 'lsattr', 'systemctl', 'curl', 'bash', 'logger', 'mktemp', 'sync'],
  };
}
