/**
 * Forty nodes in four pools and two zones, with two kinds of change to make, and what a rollout left of each of them. The
 * nodes' own files, command lines and start counts judge; what a run says never does.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { digestOf } from '../../src/core/bytes.js';
import type { RunEntry, RunEvent } from '../../src/core/journal.js';
import { isRunEntry } from '../../src/core/journal.js';
import { arrange } from '../lab/arrange.js';
import { forEachLimited, quote } from '../lab/command.js';
import { EKS_CONFIG } from '../lab/layouts.js';
import type { Ended } from './fleetmend.js';
import { entriesOf, hostsOf } from './fleetmend.js';
import { applyReplacement, MENDS, withoutFlag } from './mends.js';
import { shortPlaybook } from './playbook.js';
import type { Access, Stage } from './stage.js';
import { raiseStage } from './stage.js';
import type { Standing } from './standing.js';
import { AT_REST, digestIn, ownershipIn, standings } from './standing.js';

export const FLEET: readonly string[] = Array.from({ length: 40 }, (_, index) => `node-${String(index + 1).padStart(3, '0')}`);
export type Pool = 'a' | 'b' | 'c' | 'd';
export type Zone = 'east' | 'west';

/** Ten nodes a pool; of each the first five lie in the east. */
export function labelsOf(name: string): { readonly pool: Pool; readonly zone: Zone } {
  const index = FLEET.indexOf(name);
  const pool = (['a', 'b', 'c', 'd'] as const)[Math.floor(index / 10)];
  if (pool === undefined) throw new Error(`no node ${name}`);
  return { pool, zone: index % 10 < 5 ? 'east' : 'west' };
}

export function inPool(pool: Pool): string[] {
  return FLEET.filter((name) => labelsOf(name).pool === pool);
}

/** The kubelet dies with the new file, and with the old one it is well. */
export const DIES_WITH_NEW = 'die-after 0.3 when file.streamingConnectionIdleTimeout=4h0m0s';

export const DROP_INS = '/etc/systemd/system/kubelet.service.d';
export const EXTRA_ARGS = `${DROP_INS}/30-kubelet-extra-args.conf`;
export const NEW_DROP_IN = `${DROP_INS}/99-added.conf`;
const LOOKED_AT = [EKS_CONFIG, `${DROP_INS}/10-kubelet-args.conf`, EXTRA_ARGS, NEW_DROP_IN];

export type Seen = ReadonlyMap<string, Standing>;

export interface RolloutFleet {
  readonly stage: Stage;
  /** A playbook with this rollout, and nothing of it said otherwise. */
  playbook(rollout: object): string;
  access(playbook: string, access?: Access): Access;
  look(names: readonly string[]): Promise<Seen>;
  /** From now on each kubelet that starts there has this fault. */
  fault(names: readonly string[], fault: string): Promise<void>;
  /** Nodes as at the beginning, without faults, whatever was done to them. */
  reset(names: readonly string[]): Promise<void>;
  changed(names: readonly string[], before: Seen, now: Seen): void;
  restored(names: readonly string[], before: Seen, now: Seen): void;
}

const WAITS = { for: '1s', within: '60s', activation: '60s' } as const;

const RESET = `set -eu
rm -f /etc/kubelet-faults
same() { [ ! -e ${NEW_DROP_IN} ] && for path in ${LOOKED_AT.slice(0, -1).join(' ')}; do cmp -s "$path" "/srv/start$path" || return 1; done; }
if same && systemctl is-active --quiet kubelet; then exit 0; fi
rm -f ${NEW_DROP_IN}
cp -a /srv/start/etc/. /etc/
systemctl daemon-reload
systemctl reset-failed kubelet.service || :
systemctl restart kubelet.service
i=0; until timeout 2 busybox wget -q -O /dev/null http://127.0.0.1:10248/healthz 2>/dev/null; do i=$((i+1)); [ $i -le 200 ] || exit 1; sleep 0.1; done`;

export async function raiseRolloutFleet(): Promise<RolloutFleet> {
  const stage = await raiseStage(FLEET, { lab: { prefix: 'roll', network: '10.92' } });
  const kindOf = (name: string): 'json-zero' | 'flag-dropin' => (['a', 'b'].includes(labelsOf(name).pool) ? 'json-zero' : 'flag-dropin');
  await forEachLimited(stage.lab.nodes, 8, async (node) => {
    await arrange(node, kindOf(node.name));
    await node.mustExec(`mkdir -p /srv/start && cp -a --parents ${LOOKED_AT.slice(0, -1).join(' ')} /srv/start/`);
  });
  const mended = new Map<string, ReadonlyMap<string, string>>();
  for (const name of FLEET) {
    const node = stage.node(name);
    const digests = Object.entries(MENDS[kindOf(name)]).map(async ([path, replacement]) => {
      const text = (await node.readFile(path)).toString('utf8');
      return [path, digestOf(Buffer.from(applyReplacement(text, replacement)))] as const;
    });
    mended.set(name, new Map(await Promise.all(digests)));
  }
  let playbooks = 0;
  return {
    stage,
    playbook(rollout) {
      playbooks += 1;
      const file = join(stage.folder, `rollout-${playbooks}.yaml`);
      writeFileSync(file, shortPlaybook({ ...WAITS, rollout: JSON.stringify(rollout) }));
      return file;
    },
    access: (playbook, access = {}) => ({ ...access, playbook, labels: labelsOf }),
    look: async (names) => standings(names.map((name) => stage.node(name)), () => LOOKED_AT),
    fault: async (names, fault) => forEachLimited(names, 8, async (name) => void (await stage.node(name).mustExec(`echo ${quote(fault)} >/etc/kubelet-faults`))),
    reset: async (names) => forEachLimited(names, 8, async (name) => void (await stage.node(name).mustExec(RESET))),
    changed(names, before, now) {
      for (const name of names) {
        const [was, is] = [seenOf(before, name), seenOf(now, name)];
        const files = mended.get(name) ?? new Map<string, string>();
        expect([name, is]).toEqual([name, expect.objectContaining({ ...AT_REST, starts: was.starts + 1, argv: withoutFlag(was.argv) })]);
        for (const path of LOOKED_AT) {
          const digest = files.get(path);
          if (digest === undefined) expect([name, path, is.files[path]]).toEqual([name, path, was.files[path]]);
          else expect([name, path, digestIn(is.files[path]), ownershipIn(is.files[path])]).toEqual([name, path, digest, ownershipIn(was.files[path])]);
        }
      }
    },
    restored(names, before, now) {
      for (const name of names) {
        const [was, is] = [seenOf(before, name), seenOf(now, name)];
        expect([name, is]).toEqual([name, expect.objectContaining({ ...AT_REST, files: was.files, argv: was.argv })]);
        // Once with the new file and once with the old one again.
        expect(is.starts, `${name}: starts`).toBeGreaterThanOrEqual(was.starts + 2);
      }
    },
  };
}

export function seenOf(seen: Seen, name: string): Standing {
  const standing = seen.get(name);
  if (standing === undefined) throw new Error(`nobody looked at ${name}`);
  return standing;
}

/** Files, times, command line, process and start count are those of before. */
export function expectUntouched(names: readonly string[], before: Seen, now: Seen): void {
  for (const name of names) expect([name, seenOf(now, name)]).toEqual([name, seenOf(before, name)]);
}

/** By outcome, of a `--output json` document: names in the order of the run. */
export function byOutcome(ended: Ended): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const [name, { outcome }] of hostsOf(ended)) (groups[outcome] ??= []).push(name);
  return groups;
}

export interface Stopped {
  readonly reason: string;
  readonly summary: string;
  readonly then: string;
}

/** Why the rollout of a `--output json` document stopped. */
export function stopOf({ stdout }: Ended): Stopped | undefined {
  return (JSON.parse(stdout) as { stopped?: Stopped }).stopped;
}

/** Facts of the whole run in a `--output ndjson` stream. */
export function runFacts(output: string): RunEntry[] {
  return entriesOf(output).filter(isRunEntry);
}

/** Names of the hosts of which a `--output ndjson` stream says that a change was begun. */
export function begunHosts(output: string): string[] {
  return [...new Set(entriesOf(output).flatMap((entry) => (entry.type === 'began' ? [entry.host] : [])))];
}

/** Names of the hosts that were taken up at all, be it only to connect to them, in a `--output ndjson` stream of an apply. */
export function takenHosts(output: string): string[] {
  const events = output.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as RunEvent);
  const start = events.findIndex((event) => event.event === 'stageStarted' && event.stage === 'apply');
  return [...new Set(events.slice(start).flatMap((event) => (event.event === 'progress' ? [event.host] : [])))];
}

/** By name, of a `--output ndjson` stream. */
export function finishes(output: string): Map<string, string> {
  return new Map(entriesOf(output).flatMap((entry) => (entry.type === 'finished' ? [[entry.host, entry.outcome] as const] : [])));
}
