/** What can be done with a run afterwards: show, undo, clean, and going on after Ctrl-C. Looked at inside the nodes. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrange } from '../lab/arrange.js';
import { forEachLimited, quote } from '../lab/command.js';
import { EKS_CONFIG } from '../lab/layouts.js';
import type { Ended } from './fleetmend.js';
import { commandOf, entriesOf, hostsOf, killTree, signalTree } from './fleetmend.js';
import { newestRun } from './runs.js';
import type { Stage } from './stage.js';
import { raiseStage } from './stage.js';
import type { Standing } from './standing.js';
import { AT_REST, standings } from './standing.js';

const CHANGED = ['undone-1', 'undone-2', 'drifted', 'rebooted', 'kept'];
const MIDDLE = 'middle';
const DRAINED = ['drained-1', 'drained-2', 'drained-3'];
const STOPPED = ['stopped-1', 'stopped-2'];
const EDITED = [EKS_CONFIG, '/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf'];
const ME = `${userInfo().username}@${hostname()}`;

describe('a run that is over', () => {
  let stage: Stage;
  let start: ReadonlyMap<string, Standing>;
  let applied: Ended;
  let run: string;

  const look = async (names: readonly string[]): Promise<Map<string, Standing>> => standings(names.map((name) => stage.node(name)), () => EDITED);
  const of = (seen: ReadonlyMap<string, Standing>, name: string): Standing => {
    const standing = seen.get(name);
    if (standing === undefined) throw new Error(`nobody looked at ${name}`);
    return standing;
  };
  const outcomesOf = (ended: Ended): Record<string, string> => Object.fromEntries([...hostsOf(ended)].map(([name, { outcome }]) => [name, outcome]));
  const folderOf = (name: string): string => join(stage.folder, 'state', 'fleetmend', 'runs', name);

  beforeAll(async () => {
    stage = await raiseStage([...CHANGED, MIDDLE, ...DRAINED, ...STOPPED], { playbook: { for: '5s', within: '60s', activation: '60s' } });
    await forEachLimited(stage.lab.nodes, 8, async (node) => arrange(node, 'flag-dropin'));
    start = await look(stage.lab.nodes.map(({ name }) => name));
    applied = await stage.run('apply', CHANGED, { output: 'ndjson' });
    run = await newestRun(stage);
  });

  afterAll(async () => {
    await stage?.end();
  });

  async function isBack(name: string): Promise<void> {
    const is = of(await look([name]), name);
    const was = of(start, name);
    expect([name, is]).toEqual([name, expect.objectContaining({ ...AT_REST, files: was.files, argv: was.argv })]);
  }

  async function isMended(name: string): Promise<void> {
    const is = of(await look([name]), name);
    expect([name, is]).toEqual([name, expect.objectContaining(AT_REST)]);
    expect([name, is.argv.join(' ').includes('streaming'), EDITED.some((path) => is.files[path] === of(start, name).files[path])]).toEqual([name, false, false]);
  }

  describe('is told of', () => {
    it('by runs and show, in words and without reaching for a node', async () => {
      expect(applied.code).toBe(0);
      const runs = await stage.past('runs', [], { output: 'text' });
      expect(runs.stdout).toMatch(new RegExp(`^${run} .* ${ME} +cis-3\\.2\\.5\\S* +${CHANGED.length} +finished +${CHANGED.length} changed$`, 'm'));
      const shown = await stage.past('show', [run], { output: 'text' });
      expect(shown.stdout).toContain(`run ${run}: finished`);
      expect(shown.stdout).toContain(`fleetmend undo ${run}: brings the changed hosts back`);
      const story = (await stage.past('show', [run, 'kept'], { output: 'text' })).stdout;
      const order = ['guard armed', 'began:', 'done:', 'guard disarmed', '  changed'].map((text) => story.indexOf(text));
      expect(order).toEqual([...order].sort((left, right) => left - right));
      expect(order).not.toContain(-1);
    });

    it('by each changed node itself: every line of its log names the run and who', async () => {
      for (const name of CHANGED) {
        const lines = (await stage.node(name).mustExec('journalctl -q -t fleetmend -o cat')).split('\n').filter(Boolean);
        expect(lines.length).toBeGreaterThan(5);
        expect([name, lines.filter((line) => !line.startsWith(`${run} by ${ME}: `))]).toEqual([name, []]);
        expect(await stage.node(name).mustExec(`cat /var/lib/fleetmend/${run}/log`)).toContain(`${run} by ${ME}: `);
      }
    });

    it('without any private key: not in its folder, not in the stream, not on a node', async () => {
      const key = readFileSync(stage.lab.keyFile, 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
      expect(key.length).toBeGreaterThan(2);
      const folder = readdirSync(folderOf(run), { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => readFileSync(join(one.parentPath, one.name), 'utf8'));
      expect(folder.length).toBeGreaterThan(2);
      const onNode = await stage.node('kept').mustExec('journalctl -q -o cat; find /var/lib/fleetmend -type f -exec cat {} +');
      for (const text of [...folder, applied.stdout, applied.stderr, onNode]) {
        expect(text).not.toContain('PRIVATE KEY');
        expect(key.filter((line) => text.includes(line))).toEqual([]);
      }
    });
  });

  describe('is undone', () => {
    it('on the named hosts only', async () => {
      const ended = await stage.startPast('undo', [run, '--limit', 'undone-1']).ended;
      expect([ended.code, outcomesOf(ended)]).toEqual([0, { 'undone-1': 'restored' }]);
      await isBack('undone-1');
      await isMended('undone-2');
    });

    it('not over what somebody changed since, unless forced; then theirs is kept on the node', async () => {
      const node = stage.node('drifted');
      await node.mustExec(`echo >>${EKS_CONFIG}; sync`);
      const theirs = (await node.mustExec(`sha256sum <${EKS_CONFIG}`)).slice(0, 64);
      const before = of(await look(['drifted']), 'drifted');
      const refused = await stage.past('undo', [run, '--limit', 'drifted']);
      expect([refused.code, outcomesOf(refused)]).toEqual([2, { drifted: 'refused' }]);
      expect(hostsOf(refused).get('drifted')?.failure).toMatchObject({ kind: 'drift', summary: `changed by someone else since this run: ${EKS_CONFIG}`, done: 'nothing was touched' });
      expect(of(await look(['drifted']), 'drifted')).toEqual(before);

      const forced = await stage.past('undo', [run, '--limit', 'drifted', '--force']);
      expect([forced.code, outcomesOf(forced)]).toEqual([0, { drifted: 'restored' }]);
      await isBack('drifted');
      expect(await node.mustExec(`find /var/lib/fleetmend/${run} -type f -exec sha256sum {} +`)).toContain(theirs);
    });

    it('after the node was rebooted', async () => {
      const node = stage.node('rebooted');
      await node.powerOff();
      await node.boot();
      await isMendedSoon('rebooted');
      const ended = await stage.past('undo', [run, '--limit', 'rebooted']);
      expect([ended.code, outcomesOf(ended)]).toEqual([0, { rebooted: 'restored' }]);
      await isBack('rebooted');
    });

    /** A kubelet needs a moment after a boot. */
    async function isMendedSoon(name: string): Promise<void> {
      await stage.node(name).mustExec('i=0; until timeout 2 busybox wget -q -O /dev/null http://127.0.0.1:10248/healthz 2>/dev/null; do i=$((i+1)); [ $i -lt 200 ]; sleep 0.1; done');
      await isMended(name);
    }
  });

  describe('is cleaned', () => {
    it('not where a host is in the middle: its copies are its way back', async () => {
      const dead = stage.start('apply', [MIDDLE], { output: 'ndjson' });
      await dead.said(/"phase":"verifying"[^\n]*well for/);
      killTree(dead);
      await dead.ended;
      const own = await newestRun(stage);
      const ended = await stage.past('clean', [own]);
      expect([ended.code, hostsOf(ended).get(MIDDLE)?.failure?.summary]).toEqual([2, expect.stringContaining('this node is in the middle')]);
      expect(await stage.node(MIDDLE).mustExec(`ls /var/lib/fleetmend/${own} | grep -c .`)).not.toBe('0\n');
      const resumed = await stage.past('resume', [own]);
      expect([resumed.code, outcomesOf(resumed)]).toEqual([0, { [MIDDLE]: 'changed' }]);
      await isMended(MIDDLE);
    });

    it('then its copies are gone, and undo says so and touches nothing', async () => {
      const ended = await stage.past('clean', [run]);
      expect([ended.code, ended.stderr]).toEqual([0, '']);
      for (const name of CHANGED) expect([name, await stage.node(name).mustExec(`ls /var/lib/fleetmend`)]).toEqual([name, '']);
      const before = await look(['kept', 'undone-2']);
      const undo = await stage.past('undo', [run]);
      expect(undo.code).toBe(2);
      expect(outcomesOf(undo)).toEqual({ 'undone-1': 'restored', 'undone-2': 'refused', drifted: 'restored', rebooted: 'restored', kept: 'refused' });
      expect(hostsOf(undo).get('kept')?.failure?.summary).toBe('the saved copies were removed from this node');
      expect(await look(['kept', 'undone-2'])).toEqual(before);
      expect((await stage.past('show', [run], { output: 'text' })).stdout).toContain('saved copies removed');
    });
  });

  describe('is interrupted', () => {
    /** As a person pastes it: a shell that finds `fleetmend` in its PATH. */
    async function paste(line: string): Promise<Ended> {
      const bin = join(stage.folder, 'bin');
      mkdirSync(bin, { recursive: true });
      writeFileSync(join(bin, 'fleetmend'), `#!/bin/sh\nexec ${commandOf([]).map(quote).join(' ')} "$@"\n`);
      chmodSync(join(bin, 'fleetmend'), 0o755);
      return stage.launch(['/bin/sh', '-c', line], { PATH: `${bin}:${process.env['PATH'] ?? ''}` }).ended;
    }
    const commandIn = (ended: Ended): string => /^to go on later: (fleetmend resume \S+)$/m.exec(ended.stderr)?.[1] ?? 'false';

    it('by one Ctrl-C: it prints the command that goes on, and that ends every host', async () => {
      const started = stage.start('apply', DRAINED, { output: 'ndjson', arguments: ['--concurrency', '1'] });
      await started.said(/"type":"began"/);
      signalTree(started, 'SIGINT');
      const ended = await started.ended;
      expect(ended.code).toBe(130);
      expect(entriesOf(ended.stdout).flatMap((entry) => (entry.type === 'finished' ? [entry.outcome] : [])).sort()).toEqual(['changed', 'skipped', 'skipped']);
      const pasted = await paste(commandIn(ended));
      expect([pasted.code, pasted.stdout]).toEqual([0, expect.stringMatching(/changed +3 +drained-\[?1/)]);
      for (const name of DRAINED) await isMended(name);
    });

    it('by a second Ctrl-C: the command it prints ends the hosts in the middle', async () => {
      const started = stage.start('apply', STOPPED, { output: 'text', arguments: ['--yes'] });
      await started.said(/began: \S*.*healthy/i);
      signalTree(started, 'SIGINT');
      await started.said('no new host is begun');
      signalTree(started, 'SIGINT');
      const ended = await started.ended;
      expect(ended.code).toBe(3);
      expect(ended.stdout).toContain('stopped in the middle');
      const pasted = await paste(commandIn(ended));
      expect([pasted.code, pasted.stdout]).toEqual([0, expect.stringMatching(/changed +2 /)]);
      for (const name of STOPPED) await isMended(name);
    });
  });
});
