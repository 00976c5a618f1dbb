/** In which of its two states a node is, looked at from inside it: files, service, lock, and what a guard leaves. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { arrange } from '../lab/arrange.js';
import { EKS_CONFIG, FLAG } from '../lab/layouts.js';
import type { LabNode } from '../lab/lab.js';
import { applyReplacement, MENDS } from './mends.js';
import { fileTruth, serviceTruth } from './truth.js';
import type { ServiceTruth } from './truth.js';

export const ARGS = '/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf';
export const EDITED = [EKS_CONFIG, ARGS] as const;

/** What a node was before anybody came. Its mend has two edits, a reload and a restart. */
export interface Before {
  readonly files: readonly string[];
  readonly contents: readonly string[];
  readonly service: ServiceTruth;
}

/** Files with a mode, an owner and a time that a careless restore would not bring back. */
export async function arrangeFlagged(node: LabNode): Promise<Before> {
  await arrange(node, 'flag-dropin');
  await node.mustExec(`chown ops:ops ${EKS_CONFIG}; chmod 0640 ${EKS_CONFIG}; touch -d '2024-02-29 12:34:56.123456789' ${EKS_CONFIG} ${ARGS}`);
  return lookBefore(node);
}

export async function lookBefore(node: LabNode): Promise<Before> {
  return { files: await filesNow(node), contents: await contentsNow(node), service: await serviceTruth(node) };
}

export interface Standing {
  /** `between` when files and service do not belong together. */
  readonly state: 'old' | 'new' | 'between';
  /** Empty when the node is wholly in one state. */
  readonly wrong: readonly string[];
  readonly guard: readonly string[];
  readonly locked: boolean;
  /** Units, links and temporary files of ours. A unit that only systemd's memory still knows, until its next reload, does nothing. */
  readonly left: readonly string[];
  readonly service: ServiceTruth;
}

export async function standingOf(node: LabNode, before: Before): Promise<Standing> {
  const files = await filesNow(node);
  const contents = await contentsNow(node);
  const service = await serviceTruth(node);
  const wrongOld = [
    ...EDITED.filter((_, index) => files[index] !== before.files[index]).map((path) => `${path} is not as it was`),
    ...wrongService(service, '0s', before.service.argv),
  ];
  const wrongNew = [
    ...EDITED.filter((path, index) => contents[index] !== mended(path, before.contents[index] ?? '')).map((path) => `${path} is not mended`),
    ...EDITED.filter((_, index) => ownerOf(files[index]) !== ownerOf(before.files[index])).map((path) => `${path} has another mode or owner`),
    ...wrongService(service, '4h0m0s', before.service.argv.filter((word) => !word.startsWith(FLAG))),
  ];
  const state = wrongOld.length === 0 ? 'old' : wrongNew.length === 0 ? 'new' : 'between';
  return { state, wrong: state === 'between' ? [...wrongOld, ...wrongNew] : [], service, ...(await leftovers(node)) };
}

async function filesNow(node: LabNode): Promise<string[]> {
  return Promise.all(EDITED.map(async (path) => fileTruth(node, path)));
}

async function contentsNow(node: LabNode): Promise<string[]> {
  return Promise.all(EDITED.map(async (path) => (await node.readFile(path)).toString('utf8')));
}

function mended(path: (typeof EDITED)[number], was: string): string {
  return applyReplacement(was, MENDS['flag-dropin'][path]);
}

/** The first line of fileTruth: kind, mode, owner. */
function ownerOf(truth = ''): string {
  return /^.* \d+ \d+:\d+/.exec(truth.replace(/ \d+ \d{4}-[^]*$/, ''))?.[0] ?? truth;
}

function wrongService(service: ServiceTruth, timeout: string, argv: readonly string[]): string[] {
  const { ActiveState, NeedDaemonReload } = service;
  return [
    ...(ActiveState === 'active' ? [] : [`kubelet.service is ${ActiveState}`]),
    ...(NeedDaemonReload === 'no' ? [] : ['systemd has not loaded what is on disk']),
    ...(service.timeout === timeout ? [] : [`the kubelet runs with ${service.timeout ?? 'nothing'}, not ${timeout}`]),
    ...(service.argv.join('\n') === argv.join('\n') ? [] : [`the command line is ${service.argv.join(' ')}`]),
  ];
}

async function leftovers(node: LabNode): Promise<Pick<Standing, 'guard' | 'locked' | 'left'>> {
  const text = await node.mustExec(`
    find /var/lib/fleetmend/*/guard -name armed -o -name fired -o -name disarmed -o -name done 2>/dev/null | sed 's|.*/|guard |' | sort
    [ ! -d /var/lib/fleetmend/lock ] || echo locked
    find /etc -name '*fleetmend*' | sed 's|^|left |'
    /usr/bin/systemctl list-units --state=active,activating,deactivating,failed --plain --no-legend 'fleetmend-*' | sed 's|^|left |'`);
  const lines = text.split('\n');
  const words = (prefix: string): string[] => lines.flatMap((line) => (line.startsWith(prefix) ? [line.slice(prefix.length)] : []));
  return { guard: words('guard '), locked: lines.includes('locked'), left: words('left ') };
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

const RUNS = '/var/lib/fleetmend';

/** Resolves when the guard on the node is through; looked at from outside, which costs the node nothing. */
export async function guardThrough(node: LabNode, limitMs = 600_000): Promise<void> {
  const runs = join(node.rootDir, RUNS);
  const isThrough = (run: string): boolean => existsSync(join(runs, run, 'guard/done'));
  const endMs = monotonicMs() + limitMs;
  while (monotonicMs() < endMs) {
    if (existsSync(runs) && readdirSync(runs).some(isThrough)) return;
    await sleep(100);
  }
  throw new Error(`${node.name}: no guard was through in ${limitMs / 1000} s: ${(await node.exec(`ls -l ${RUNS}/*/guard`)).stdout}`);
}

/** The boot is over: everything that it starts has started or failed. */
export async function bootIsOver(node: LabNode): Promise<void> {
  await node.exec('timeout 170 /usr/bin/systemctl is-system-running --wait');
}

export interface BootTruth {
  /** Starts of the kubelet since this boot. */
  readonly starts: number;
  /** The guard was through before the first of them. */
  readonly guardFirst: boolean;
}

export async function bootTruth(node: LabNode): Promise<BootTruth> {
  const lines = (await node.mustExec('journalctl -q -b -o cat')).split('\n');
  const isStart = (line: string): boolean => /^Started kubelet\.service/.test(line);
  const through = lines.findIndex((line) => line.includes(': guard is through: '));
  const start = lines.findIndex(isStart);
  return { starts: lines.filter(isStart).length, guardFirst: through >= 0 && start > through };
}
