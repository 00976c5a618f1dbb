/** A saved plan does exactly what was shown and approved, or refuses the host; nothing else on the way may change what is done. */
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EKS_CONFIG } from '../lab/layouts.js';
import { hostsOf } from './fleetmend.js';
import type { RolloutFleet, Seen } from './rollout-fleet.js';
import { byOutcome, EXTRA_ARGS, expectUntouched, FLEET, NEW_DROP_IN, seenOf } from './rollout-fleet.js';
import { runRows } from './runs.js';

const EDITED = 'node-004';
const ADDED = 'node-015';
const RESTARTED = 'node-036';
const DRIFTED = [EDITED, ADDED, RESTARTED];
const OTHERS = FLEET.filter((name) => !DRIFTED.includes(name));

/** What happened between plan and apply, and what a refusal must name. */
const DRIFTS: Readonly<Record<string, { readonly does: string; readonly says: readonly string[] }>> = {
  [EDITED]: { does: `sed -i 's/"readOnlyPort": 0/"readOnlyPort": 10255/' ${EKS_CONFIG}`, says: [EKS_CONFIG, 'other content'] },
  [ADDED]: { does: `printf '[Service]\\nEnvironment=ADDED=1\\n' >${NEW_DROP_IN}; systemctl daemon-reload`, says: [NEW_DROP_IN] },
  [RESTARTED]: {
    does: `sed -i 's/--max-pods=29/--max-pods=31/' ${EXTRA_ARGS}; systemctl daemon-reload; systemctl restart kubelet.service`,
    says: ['command line', '--max-pods=29', '+--max-pods=31'],
  },
};

export function describeSavedPlan(of: () => RolloutFleet): void {
  describe('a saved plan', () => {
    let file: string;
    let playbook: string;
    let digest: string;
    let planned: Seen;
    let drifted: Seen;

    beforeAll(async () => {
      const { stage, access, look, reset } = of();
      await reset(FLEET);
      planned = await look(FLEET);
      playbook = of().playbook({ waves: ['100%'], canary: 'none', budget: 'none', within: 10 });
      file = join(stage.folder, 'rollout.plan');
      const made = await stage.run('plan', FLEET, access(playbook, { arguments: ['-o', file] }));
      expect([made.code, [...hostsOf(made).values()].every(({ verdict, plan }) => (verdict ?? plan?.finding.verdict) === 'fail')]).toEqual([4, true]);
      digest = (JSON.parse(made.stdout) as { digest: string }).digest;
      expectUntouched(FLEET, planned, await look(FLEET));
      for (const [name, { does }] of Object.entries(DRIFTS)) await stage.node(name).mustExec(does);
      // What it was made of would do something else by now.
      writeFileSync(playbook, readFileSync(playbook, 'utf8').replace(/^( +default: )4h.*$/m, '$12h'));
      drifted = await look(FLEET);
    });

    afterAll(async () => {
      await of().reset(FLEET);
    });

    it('is for its owner alone, and can be shown however old it is', async () => {
      expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
      const shown = await of().stage.past('show', [file], { output: 'text' });
      expect([shown.code, shown.stderr]).toEqual([0, '']);
      expect(shown.stdout).toContain(digest);
      expect(shown.stdout).toContain('40 to change in 2 ways');
      expect(shown.stdout).toContain('node-[001-020]');
      expect(shown.stdout).toContain('node-[021-040]');
      expect(shown.stdout).toContain(`the playbook ${playbook} was changed since this plan was made`);
    });

    it('is refused with the digest of another plan, before any host is reached', async () => {
      const { stage, look } = of();
      const logins = async (): Promise<string> => stage.node('node-001').mustExec("journalctl -q -o cat | grep -c 'Accepted publickey' || :");
      const [loggedIn, runs] = [await logins(), await runRows(stage)];
      const other = digest.startsWith('0') ? `1${digest.slice(1)}` : `0${digest.slice(1)}`;
      const refused = await stage.past('apply', [file, '--approve', other]);
      expect([refused.code, refused.stdout]).toEqual([1, '']);
      expect(refused.stderr).toContain(`is a yes to another plan; this one has the digest ${digest}; nothing was touched`);
      expect(Number(loggedIn)).toBeGreaterThan(0);
      expect([await logins(), await runRows(stage)]).toEqual([loggedIn, runs]);
      expectUntouched(['node-001', ...DRIFTED], drifted, await look(['node-001', ...DRIFTED]));
    });

    it('that was altered by a byte is refused', async () => {
      const { stage } = of();
      const forged = join(stage.folder, 'forged.plan');
      writeFileSync(forged, readFileSync(file, 'utf8').replace('4h0m0s', '9h0m0s'), { mode: 0o600 });
      const refused = await stage.past('apply', [forged, '--approve', digest]);
      expect([refused.code, refused.stdout]).toEqual([1, '']);
      expect(refused.stderr).toContain('forged.plan');
      appendFileSync(forged, '{}\n');
      expect((await stage.past('apply', [forged, '--approve', digest])).code).toBe(1);
    });

    it('is done as it was saved: the 3 hosts that moved are refused with what moved, the other 37 are changed', async () => {
      const { stage, look, changed } = of();
      const ended = await stage.past('apply', [file, '--approve', digest.slice(0, 32)]);
      expect([ended.code, byOutcome(ended)]).toEqual([2, { changed: OTHERS, refused: DRIFTED }]);
      expect(ended.stderr).toContain(`the playbook ${playbook} was changed since this plan was made; the plan goes by the playbook of that time`);
      for (const [name, { says }] of Object.entries(DRIFTS)) {
        const failure = hostsOf(ended).get(name)?.failure;
        for (const words of says) expect([name, failure?.summary]).toEqual([name, expect.stringContaining(words)]);
        expect([name, failure?.summary, failure?.done]).toEqual([name, expect.stringContaining('since the plan was shown'), 'nothing was touched']);
      }
      const now = await look(FLEET);
      expectUntouched(DRIFTED, drifted, now);
      changed(OTHERS, drifted, now);
    });

    it('applied again: what is done is compliant, what moved is refused again, and no node is touched', async () => {
      const { stage, look } = of();
      const before = await look(FLEET);
      const ended = await stage.past('apply', [file, '--approve', digest]);
      expect([ended.code, byOutcome(ended)]).toEqual([2, { compliant: OTHERS, refused: DRIFTED }]);
      expectUntouched(FLEET, before, await look(FLEET));
      for (const name of OTHERS) expect([name, seenOf(before, name).starts]).toEqual([name, seenOf(planned, name).starts + 1]);
    });
  });
}
