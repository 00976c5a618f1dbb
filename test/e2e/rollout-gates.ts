/** What stands between waves and around hosts: the second look after a soak, a gate that is a command, and hooks that are told the facts. */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { entriesOf, hostsOf } from './fleetmend.js';
import type { RolloutFleet } from './rollout-fleet.js';
import { byOutcome, DIES_WITH_NEW, expectUntouched, finishes, FLEET, labelsOf, runFacts, stopOf } from './rollout-fleet.js';
import { runOf } from './runs.js';

const NODES = FLEET.slice(17, 23);
const [RELAPSED = '', LOST = '', WELL = ''] = NODES;
const REST = NODES.slice(3);
/** The first wave is RELAPSED, LOST and WELL. */
const ROLLOUT = { waves: [3, '100%'], canary: 'none', budget: 'none', within: 3 };

interface HookFacts {
  readonly fleetmend: number;
  readonly hook: string;
  readonly run: string;
  readonly playbook: string;
  readonly host?: { readonly name: string; readonly address: string; readonly labels: Readonly<Record<string, string>> };
  readonly outcome?: string;
  readonly wave?: { readonly number: number; readonly of: number; readonly hosts: readonly string[] };
  readonly results?: readonly { readonly host: string; readonly outcome: string }[];
}

export function describeGates(of: () => RolloutFleet): void {
  describe('between waves and around hosts', () => {
    const told = (): string => join(of().stage.folder, 'told.ndjson');

    beforeEach(async () => {
      rmSync(told(), { force: true });
      await of().reset(NODES);
    });

    /** A program that writes down what it is told, and then does `then` with it in `$facts`. */
    const script = (name: string, then = ':'): { readonly run: readonly string[]; readonly timeout: string } => {
      const file = join(of().stage.folder, name);
      writeFileSync(file, `#!/bin/sh\nfacts=$(cat)\nprintf '%s\\n' "$facts" >>'${told()}'\n${then}\n`);
      chmodSync(file, 0o755);
      return { run: [file, 'a word'], timeout: '60s' };
    };
    const heard = (): HookFacts[] => (existsSync(told()) ? readFileSync(told(), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as HookFacts) : []);

    it('hosts that break in the soak close the gate: they are brought back and proved, or named as stuck, and nothing more begins', async () => {
      const { stage, access, playbook, look, fault, changed, restored } = of();
      const before = await look(NODES);
      const run = stage.start('apply', NODES, access(playbook({ ...ROLLOUT, soak: '8s' }), { output: 'ndjson' }));
      await run.said('"type":"soaking"');
      const breakIt = async (name: string, fault: string): Promise<string> => stage.node(name).mustExec(`echo '${fault}' >/etc/kubelet-faults; systemctl kill --signal=KILL kubelet.service`);
      await Promise.all([breakIt(RELAPSED, DIES_WITH_NEW), breakIt(LOST, 'die-after 0.3')]);
      const ended = await run.ended;

      expect(ended.code).toBe(3);
      expect(finishes(ended.stdout)).toEqual(new Map([[RELAPSED, 'restored'], [LOST, 'stuck'], [WELL, 'changed'], ...REST.map((name) => [name, 'skipped'] as const)]));
      const facts = runFacts(ended.stdout);
      expect(facts.flatMap((fact) => (fact.type === 'stopped' ? [fact.reason] : []))).toEqual(['gate']);
      const gate = facts.find(({ type }) => type === 'gateFailed');
      expect(gate?.type === 'gateFailed' ? [gate.wave, [...gate.hosts].sort()] : []).toEqual([1, [RELAPSED, LOST].sort()]);
      expect(facts.some((fact) => fact.type === 'wavePassed')).toBe(false);

      const lost = entriesOf(ended.stdout).flatMap((entry) => (entry.type === 'finished' && entry.host === LOST ? [entry.failure] : [])).at(-1);
      expect(lost).toMatchObject({ summary: expect.stringContaining('the way back failed') as string, next: expect.stringContaining('resume') as string });

      const now = await look(NODES);
      restored([RELAPSED], before, now);
      changed([WELL], before, now);
      expectUntouched(REST, before, now);

      // A person sees to the node; then a resume ends its way back, and the rollout goes on.
      await fault([LOST], '');
      const resumed = await stage.past('resume', [facts[0]?.run ?? '', '--soak', '0s']);
      expect([resumed.code, byOutcome(resumed)]).toEqual([2, { restored: [RELAPSED, LOST], changed: [WELL, ...REST] }]);
      const then = await look(NODES);
      restored([LOST], before, then);
      changed(REST, before, then);
      expectUntouched([RELAPSED, WELL], now, then);
    });

    it('a gate that says no leaves the next wave untouched; it was told of its wave', async () => {
      const { stage, access, playbook, look, changed } = of();
      const before = await look(NODES);
      const gate = script('gate.sh', "echo 'orders are slow' >&2; exit 3");
      const ended = await stage.run('apply', NODES, access(playbook({ ...ROLLOUT, gate })));
      const wave = NODES.slice(0, 3);
      expect([ended.code, byOutcome(ended)]).toEqual([2, { changed: wave, skipped: REST }]);
      expect(stopOf(ended)).toMatchObject({ reason: 'gate', then: 'halt', summary: expect.stringContaining('ended with exit code 3') as string });
      expect(ended.stdout).toContain('orders are slow');
      expect(heard()).toEqual([expect.objectContaining({ fleetmend: 1, hook: 'gate', run: runOf(ended), wave: { number: 1, of: 2, hosts: wave } })]);
      const now = await look(NODES);
      changed(wave, before, now);
      expectUntouched(REST, before, now);
    });

    it('hooks run in their order and are told the facts; a host whose beforeHost fails is not touched, and gets its afterHost', async () => {
      const { stage, access, playbook, look, changed } = of();
      const before = await look(NODES);
      const kept = WELL;
      const hook = script('hook.sh');
      const drain = script('drain.sh', `case $facts in *'"name":"${kept}"'*) echo 'it cannot be drained' >&2; exit 9 ;; esac`);
      const hooks = { beforeRun: hook, afterRun: hook, beforeWave: hook, afterWave: hook, beforeHost: drain, afterHost: hook };
      const ended = await stage.run('apply', NODES, access(playbook({ ...ROLLOUT, within: 1, hooks, gate: hook })));
      const mended = NODES.filter((name) => name !== kept);
      expect([ended.code, byOutcome(ended)]).toEqual([2, { changed: mended, refused: [kept] }]);
      expect(hostsOf(ended).get(kept)?.failure).toMatchObject({
        kind: 'hook', summary: expect.stringContaining('ended with exit code 9') as string, detail: 'it cannot be drained', done: 'fleetmend touched nothing',
      });
      const now = await look(NODES);
      changed(mended, before, now);
      expectUntouched([kept], before, now);

      const facts = heard();
      const around = (name: string): string[] => [`beforeHost ${name}`, `afterHost ${name}`];
      expect(facts.map(({ hook: name, host, wave }) => [name, host?.name ?? wave?.number].filter((part) => part !== undefined).join(' '))).toEqual([
        'beforeRun', 'beforeWave 1', ...NODES.slice(0, 3).flatMap(around), 'gate 1', 'afterWave 1', 'beforeWave 2', ...REST.flatMap(around), 'afterWave 2', 'afterRun',
      ]);
      const run = runOf(ended);
      for (const fact of facts) expect(fact).toMatchObject({ fleetmend: 1, run, playbook: expect.any(String) as string });
      for (const { host } of facts) if (host) expect(host).toMatchObject({ address: stage.node(host.name).address, labels: labelsOf(host.name) });
      for (const { hook: name, host, outcome } of facts) if (name === 'afterHost') expect([host?.name, outcome]).toEqual([host?.name, host?.name === kept ? 'refused' : 'changed']);
      expect(new Map(facts.at(-1)?.results?.map(({ host, outcome }) => [host, outcome]))).toEqual(new Map(NODES.map((name) => [name, name === kept ? 'refused' : 'changed'])));
    });
  });
}
