/** A whole fleet in one run, and once more: what happened is asked of the nodes, never of the tool. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrange } from '../lab/arrange.js';
import { AILMENTS } from '../lab/ailments.js';
import { forEachLimited } from '../lab/command.js';
import type { Ended } from './fleetmend.js';
import { hostsOf } from './fleetmend.js';
import { applyReplacement, MEND_NAMES, MENDS, withoutFlag } from './mends.js';
import type { Mend } from './mends.js';
import { lookAt } from './snapshot.js';
import type { NodeTruth } from './snapshot.js';
import type { Stage } from './stage.js';
import { raiseStage } from './stage.js';
import { changedPaths, GUARD_TRACES, withParents } from './truth.js';

const COMPLIANT = ['compliant-by-absence', 'compliant-explicit'] as const;
const FLEET = [...MEND_NAMES, ...COMPLIANT];
const STATE = ['/var/lib', '/var/lib/fleetmend'];

/** Mode and owner of the files that are to be edited, and their bytes. */
async function edited(stage: Stage, name: string, mend: Mend): Promise<Map<string, { stat: string; content: string }>> {
  const node = stage.node(name);
  const facts = new Map<string, { stat: string; content: string }>();
  for (const path of Object.keys(mend)) {
    facts.set(path, { stat: await node.mustExec(`stat -c '%F %a %u:%g %h' '${path}'`), content: (await node.readFile(path)).toString('utf8') });
  }
  return facts;
}

describe(`a fleet of ${FLEET.length} nodes with different ailments`, () => {
  let stage: Stage;
  let [audit, plan, apply, again]: Ended[] = [];
  type Look = (name: string) => NodeTruth;
  let [before, planned, after, later]: Look[] = [];
  const contents = new Map<string, Awaited<ReturnType<typeof edited>>>();

  const ended = (run: Ended | undefined): Ended => {
    if (!run) throw new Error('it did not run');
    return run;
  };
  const truth = (look: Look | undefined, name: string): NodeTruth => {
    if (!look) throw new Error('nobody looked');
    return look(name);
  };

  beforeAll(async () => {
    stage = await raiseStage(FLEET);
    await forEachLimited(FLEET, 8, async (name) => arrange(stage.node(name), name));
    for (const name of MEND_NAMES) contents.set(name, await edited(stage, name, MENDS[name]));
    before = await lookAt(stage.lab.nodes);
    audit = await stage.run('audit', FLEET);
    plan = await stage.run('plan', FLEET);
    planned = await lookAt(stage.lab.nodes);
    apply = await stage.run('apply', FLEET);
    after = await lookAt(stage.lab.nodes);
    again = await stage.run('apply', FLEET);
    later = await lookAt(stage.lab.nodes);
  });

  afterAll(async () => {
    await stage?.end();
  });

  it('is judged rightly by the audit', () => {
    expect(ended(audit).code).toBe(4);
    expect(new Map([...hostsOf(ended(audit))].map(([name, host]) => [name, host.verdict]))).toEqual(new Map(FLEET.map((name) => [name, AILMENTS[name].expected.verdict])));
  });

  it('gets a plan of exactly the files that have to change', () => {
    expect(ended(plan).code).toBe(4);
    for (const [name, { plan: one }] of hostsOf(ended(plan))) {
      const paths = (one?.steps ?? []).flatMap((step) => (step.phase === 'change' ? [step.edit.path] : []));
      expect([name, paths.sort()]).toEqual([name, Object.keys(MENDS[name as keyof typeof MENDS] ?? {}).sort()]);
    }
  });

  it('is not changed by audit and plan, not by a byte and not by a restart', () => {
    for (const name of FLEET) {
      expect([name, changedPaths(truth(before, name).files, truth(planned, name).files)]).toEqual([name, []]);
      expect(truth(planned, name).service).toEqual(truth(before, name).service);
    }
  });

  it('is mended in one run: every host ends as expected, exit code 0', () => {
    expect(new Map([...hostsOf(ended(apply))].map(([name, host]) => [name, host.outcome]))).toEqual(new Map(FLEET.map((name) => [name, AILMENTS[name].expected.outcome])));
    expect(ended(apply)).toMatchObject({ code: 0, stderr: '' });
  });

  describe.each(MEND_NAMES)('%s', (name) => {
    const mend: Mend = MENDS[name];

    it('has the new text in the right places, and every other byte, mode and owner as before', async () => {
      const now = await edited(stage, name, mend);
      for (const [path, was] of contents.get(name) ?? []) {
        const replacement = mend[path];
        if (!replacement) throw new Error(path);
        expect(now.get(path)).toEqual({ stat: was.stat, content: applyReplacement(was.content, replacement) });
      }
    });

    it('has no other file touched', () => {
      const changed = changedPaths(truth(before, name).files, truth(after, name).files);
      expect(changed).toEqual([...new Set([...withParents(Object.keys(mend)), ...GUARD_TRACES, ...STATE])].sort());
    });

    it('was restarted exactly once and runs with the new value and without the flag', () => {
      const [was, is] = [truth(before, name).service, truth(after, name).service];
      expect(is).toMatchObject({
        ActiveState: 'active', NRestarts: '0', NeedDaemonReload: 'no', timeout: '4h0m0s', starts: was.starts + 1, argv: withoutFlag(was.argv),
      });
      expect(is.InvocationID).not.toBe(was.InvocationID);
    });

    it('keeps the saved files for root alone', async () => {
      const node = stage.node(name);
      const listing = await node.mustExec(`stat -c '%a %U %F' /var/lib/fleetmend /var/lib/fleetmend/*; ls /var/lib/fleetmend | wc -l`);
      expect(listing).toBe('700 root directory\n700 root directory\n1\n');
    });
  });

  it.each(COMPLIANT)('never touches %s: no write, no restart, no state directory', (name) => {
    expect(changedPaths(truth(before, name).files, truth(later, name).files)).toEqual([]);
    expect(truth(later, name).service).toEqual(truth(before, name).service);
    expect(truth(later, name).files.has('/var/lib/fleetmend')).toBe(false);
  });

  it('is left alone by a second run: all compliant, no write, no restart', () => {
    expect(new Set([...hostsOf(ended(again)).values()].map((host) => host.outcome))).toEqual(new Set(['compliant']));
    expect(ended(again).code).toBe(0);
    for (const name of FLEET) {
      expect([name, changedPaths(truth(after, name).files, truth(later, name).files)]).toEqual([name, []]);
      expect(truth(later, name).service).toEqual(truth(after, name).service);
    }
  });

  it('is written down on the controller, one journal a run', () => {
    const runs = readdirSync(`${stage.folder}/state/fleetmend/runs`);
    expect(runs).toHaveLength(2);
  });

  it('leaves a line in the log of a node that was changed, and none in that of another', async () => {
    const count = async (name: string): Promise<number> => Number(await stage.node(name).mustExec("journalctl -q -t fleetmend -o cat | grep -c . || :"));
    expect(await count('json-zero')).toBeGreaterThan(0);
    expect(await count('compliant-explicit')).toBe(0);
  });
});
