/** One run over 24 nodes on which everything goes wrong at once, by a seed. Ends with every host in one outcome that is true. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forEachLimited } from '../lab/command.js';
import { EKS_CONFIG } from '../lab/layouts.js';
import type { LabNode } from '../lab/lab.js';
import type { Ended, HostDocument } from './fleetmend.js';
import { entriesOf, hostsOf } from './fleetmend.js';
import { finishOf, killNow, runOf } from './guard-scenes.js';
import type { Before, Standing } from './guard-truth.js';
import { arrangeFlagged, bootIsOver, guardThrough, lookBefore, standingOf } from './guard-truth.js';
import { seededNumbers, seedOf } from './seeded.js';
import type { Stage } from './stage.js';
import { raiseStage } from './stage.js';
import type { Fault } from './storm-weather.js';
import { drawWeather } from './storm-weather.js';

const NAMES = Array.from({ length: 24 }, (_, index) => `s-${String(index + 1).padStart(2, '0')}`);
const SEED = seedOf();
const WEATHER = drawWeather(NAMES, seededNumbers(SEED));
const ARMED = /"type":"armed"/;
const MOST_RESUMES = 8;
const MINUTES_MS = 900_000;
const CONFIG_DIR = EKS_CONFIG.slice(0, EKS_CONFIG.lastIndexOf('/'));

const faultOf = (name: string): Fault => WEATHER.faults.get(name) ?? { fault: 'none' };
const LASTING = NAMES.filter((name) => faultOf(name).fault === 'fullDisk');

describe(`a storm over 24 nodes (seed ${SEED})`, () => {
  let stage: Stage;
  let second: Ended;
  let run: string;
  let resumes = 0;
  let ended: Ended;
  let hosts: ReadonlyMap<string, HostDocument>;
  let lastedS = 0;
  const before = new Map<string, Before>();
  const standings = new Map<string, Standing>();

  async function look(): Promise<void> {
    await forEachLimited(stage.lab.nodes, 6, async (node) => {
      const was = before.get(node.name);
      if (was) standings.set(node.name, await standingOf(node, was));
    });
  }

  async function arrangeFault(node: LabNode): Promise<void> {
    before.set(node.name, await arrangeFlagged(node));
    const fault = faultOf(node.name);
    if (fault.fault === 'dyingKubelet') await node.mustExec(`echo 'die-after ${fault.afterS} when streamingConnectionIdleTimeout=4h0m0s' >/etc/kubelet-faults`);
    if (fault.fault !== 'fullDisk') return;
    await node.mustExec(`echo 'never-healthy when streamingConnectionIdleTimeout=4h0m0s' >/etc/kubelet-faults
      cp -a ${EKS_CONFIG} /root/config; mount -t tmpfs -o size=1m tmpfs ${CONFIG_DIR}; cp -a /root/config ${EKS_CONFIG}`);
    before.set(node.name, await lookBefore(node));
  }

  /** As soon as the new file is there, which is when a run comes to this node. */
  async function fillOnceMended(node: LabNode): Promise<void> {
    const { code, stderr } = await node.exec(`until grep -q 4h0m0s ${EKS_CONFIG}; do sleep 0.1; done; cat /dev/zero >${CONFIG_DIR}/ballast 2>/dev/null || :`, { timeoutMs: 600_000 });
    if (code !== 0) throw new Error(`${node.name}: its disk was not filled: exit ${code}: ${stderr}`);
  }

  async function befall(node: LabNode): Promise<void> {
    const fault = faultOf(node.name);
    switch (fault.fault) {
      case 'none':
      case 'dyingKubelet':
        return;
      case 'link':
        await sleep(fault.atMs);
        await node.cutLink();
        await sleep(fault.backAfterMs);
        return node.restoreLink();
      case 'linkUntilGuard':
        await sleep(fault.atMs);
        await node.cutLink();
        // One that was never armed, or is disarmed already, has nothing to wait for.
        if ((await node.exec('ls /var/lib/fleetmend/*/guard/armed')).code === 0) await guardThrough(node);
        return node.restoreLink();
      case 'power':
        await sleep(fault.atMs);
        await node.powerCut();
        await sleep(fault.backAfterMs);
        await node.boot();
        return bootIsOver(node);
      case 'frozenSshd':
        await sleep(fault.atMs);
        await node.mustExec('kill -STOP $(pgrep -x sshd)');
        await sleep(fault.backAfterMs);
        await node.exec('kill -CONT $(pgrep -x sshd)');
        return;
      case 'fullDisk':
        await fillOnceMended(node);
    }
  }

  const isEnded = (name: string): boolean => !['stuck', 'skipped', 'unreachable', undefined].includes(hosts.get(name)?.outcome);
  const isOver = (): boolean => NAMES.every((name) => isEnded(name) || (LASTING.includes(name) && hosts.get(name)?.outcome === 'stuck'));

  async function resumeUntilOver(): Promise<void> {
    const [, killAtMs = 0] = WEATHER.killsAtMs;
    resumes += 1;
    const killed = stage.startPast('resume', [run], { output: 'ndjson' });
    await Promise.race([killed.said(/"event":"entry"/).then(() => sleep(killAtMs)), killed.ended]);
    await killNow(killed);
    do {
      resumes += 1;
      ended = await stage.past('resume', [run], { output: 'json' });
      hosts = hostsOf(ended);
    } while (!isOver() && resumes < MOST_RESUMES);
  }

  beforeAll(async () => {
    const startedMs = Date.now();
    stage = await raiseStage(NAMES, {
      playbook: { for: '2s', within: '15s', activation: '15s', margin: '2s' },
    });
    await forEachLimited(stage.lab.nodes, 6, arrangeFault);
    const first = stage.start('apply', NAMES, { output: 'ndjson', connectTimeout: '2s' });
    const output = await first.said(ARMED);
    run = runOf(output);
    const faults = Promise.all(stage.lab.nodes.map(befall));
    faults.catch(() => undefined);
    const other = sleep(WEATHER.secondOperatorAtMs).then(() =>
      stage.run('apply', NAMES, { output: 'ndjson', connectTimeout: '2s', environment: { XDG_STATE_HOME: `${stage.folder}/second`, USER: 'second', LOGNAME: 'second' } }));
    await sleep(WEATHER.killsAtMs[0] ?? 0);
    await killNow(first);
    [, second] = await Promise.all([resumeUntilOver(), other]);
    await faults;
    lastedS = Math.round((Date.now() - startedMs) / 1000);
    await look();
  }, MINUTES_MS);

  afterAll(async () => {
    await stage?.end();
  });

  /** The last word on a host: of the second operator, where that one got it after the first had left it. */
  const wordOn = (name: string): string | undefined => {
    const others = finishOf(second, name)?.outcome;
    return others === 'changed' ? others : hosts.get(name)?.outcome;
  };

  it('is over after a few resumes: every host has an end, or is stuck where its fault still lasts, and is named', () => {
    const counts = new Map<string, number>();
    for (const name of NAMES) {
      const key = `${faultOf(name).fault}: ${wordOn(name) ?? 'none'}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    console.log(`storm: seed ${SEED}, ${resumes} resumes, the first of them killed; ${lastedS} s\n  ${[...counts].sort().map(([key, count]) => `${key} ${count}`).join('\n  ')}`);
    const open = NAMES.filter((name) => !isEnded(name)).map((name) => [name, hosts.get(name)?.outcome, hosts.get(name)?.failure?.summary]);
    expect(open).toEqual(LASTING.map((name) => [name, 'stuck', expect.stringContaining('way back failed')]));
    expect(ended.code).toBe(LASTING.length > 0 ? 3 : 2);
  });

  it.each(NAMES)('%s is what it is said to be', (name) => {
    const standing = standings.get(name);
    const word = wordOn(name);
    if (word === 'stuck') return expect(LASTING).toContain(name);
    expect([name, word, standing?.state, standing?.wrong]).toEqual([name, word, word === 'changed' || word === 'compliant' ? 'new' : 'old', []]);
    expect([name, standing]).toMatchObject([name, { locked: false, left: [] }]);
  });

  it('a fresh audit says the same of every host', async () => {
    const audit = await stage.run('audit', NAMES, { output: 'json' });
    const verdicts = hostsOf(audit);
    for (const name of NAMES) {
      const word = wordOn(name);
      if (word !== 'stuck') expect([name, word, verdicts.get(name)?.verdict]).toEqual([name, word, word === 'changed' || word === 'compliant' ? 'pass' : 'fail']);
    }
  }, MINUTES_MS);

  it('the second operator was told by whom a node is held, and changed none that was', () => {
    const told = entriesOf(second.stdout).flatMap((entry) => (entry.type === 'finished' && entry.failure?.kind === 'locked' ? [entry.failure.summary] : []));
    for (const summary of told) expect(summary).toContain(run);
    expect(second.stdout).toContain(run);
  });

  it('and the stuck ones end restored once their fault is gone and the run is resumed', async () => {
    for (const name of LASTING) await stage.node(name).mustExec(`rm ${CONFIG_DIR}/ballast`);
    const last = await stage.past('resume', [run], { output: 'json' });
    await look();
    for (const name of LASTING) {
      expect([name, hostsOf(last).get(name)?.outcome]).toEqual([name, 'restored']);
      expect([name, standings.get(name)]).toMatchObject([name, { state: 'old', wrong: [], locked: false, left: [] }]);
    }
    expect(last.code).toBe(2);
  }, MINUTES_MS);
});
