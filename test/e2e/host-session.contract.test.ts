/** The host session's contract over real SSH on a real node: as root, and as a user who becomes root by sudo. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Effect } from '../../src/core/effect.js';
import { lock, NEW, OLD, perform, RUN, writeOf } from '../contracts/host-session-edits.js';
import { askOne } from '../contracts/host-session-read.js';
import { hostSessionContract } from '../contracts/host-session.contract.js';
import { arrange } from '../lab/arrange.js';
import { createLab } from '../lab/lab.js';
import type { Lab } from '../lab/lab.js';
import { asNodeUnderTest } from './lab-node-under-test.js';

let lab: Lab;

beforeAll(async () => {
  lab = await createLab({ prefix: 'nod', subnet: '10.94.0.0/16', nodes: ['contract'] });
  await arrange(lab.node('contract'), 'compliant-by-absence');
});

afterAll(async () => {
  await lab?.destroy();
});

hostSessionContract('a real node, as root', async () => asNodeUnderTest(lab, lab.node('contract'), 'root'));
hostSessionContract('a real node, by sudo', async () => asNodeUnderTest(lab, lab.node('contract'), 'ops'));

describe('the guard of a real node', () => {
  const UNIT = 'kubelet.service';
  const prepared = async (afterMs: number) => {
    const real = lab.node('contract');
    const node = await asNodeUnderTest(lab, real, 'root');
    await node.put(`${node.root}/config`, OLD, { mode: 0o640, modifiedAt: 1_600_000_000 });
    const change = writeOf(`${node.root}/config`, OLD, NEW);
    const { properties } = await askOne(node, { ask: 'unit', unit: UNIT });
    const order = { afterMs, restores: [{ edit: change, earlier: [] }], activations: [{ do: 'daemonReload', timeoutMs: 30_000 }, { do: 'restart', unit: UNIT, timeoutMs: 30_000 }], invocationId: properties['InvocationID'] ?? '' } as const;
    const arm: Effect = { do: 'arm', run: RUN, order };
    const edit: Effect = { do: 'edit', run: RUN, way: 'guarded', edit: change };
    return { real, node, before: await node.look(`${node.root}/config`), arm, edit };
  };

  it('fires by its own timer when nobody comes back, and restarts a unit that was restarted', async () => {
    const { real, node, before, arm, edit } = await prepared(10_000);
    const restart: Effect = { do: 'restart', run: RUN, way: 'guarded', unit: UNIT, timeoutMs: 30_000 };
    expect(await perform(node, arm, edit, restart)).toMatchObject([{ ok: true }, { ok: true }, { ok: true }]);
    await expect.poll(async () => (await askOne(node, { ask: 'guard', run: RUN })).state, { timeout: 90_000, interval: 200 }).toBe('fired');
    expect(await askOne(node, { ask: 'guard', run: RUN })).toMatchObject({ ok: true, report: `restore ${node.root}/config: now\ndaemonReload: now\nrestart ${UNIT}: now` });
    expect(await node.look(`${node.root}/config`)).toEqual(before);
    expect(await real.mustExec('ls /etc/systemd/system /etc/systemd/system/multi-user.target.wants')).not.toContain('fleetmend');
    expect(await real.mustExec(`systemctl is-active ${UNIT}`)).toBe('active\n');
    await node.close();
  });

  it.each([
    ['before its time', ':'],
    ['while it was at work', `mv /var/lib/fleetmend/${RUN}/guard/armed /var/lib/fleetmend/${RUN}/guard/fired`],
  ])('restores before the unit starts when the power fails %s', async (_name, meanwhile) => {
    const { real, node, before, arm, edit } = await prepared(600_000);
    expect(await perform(node, arm, edit)).toMatchObject([{ ok: true }, { ok: true }]);
    await real.mustExec(meanwhile);
    await node.fireGuard?.(RUN, 'boot');
    // Not needed: it had not started yet.
    expect(await askOne(node, { ask: 'guard', run: RUN })).toMatchObject({ state: 'fired', ok: true, report: `restore ${node.root}/config: now\ndaemonReload: now\nrestart ${UNIT}: not needed` });
    expect(await node.look(`${node.root}/config`)).toEqual(before);
    expect(await real.mustExec(`cat /var/lib/fleetmend/${RUN}/log`)).toMatch(new RegExp(`${RUN} by alice@laptop \\(guard\\): guard is through: ok`));
    await expect.poll(() => real.exec(`systemctl is-active ${UNIT}`).then(({ stdout }) => stdout), { timeout: 90_000 }).toBe('active\n');
    expect(await real.mustExec('ls /etc/systemd/system /etc/systemd/system/multi-user.target.wants')).not.toContain('fleetmend');
    expect(await perform(node, { do: 'clean', run: RUN })).toMatchObject([{ ok: true, happened: 'now' }]);
    await node.close();
  });

  it('lets another run in once it has restored everything and the first stays silent', async () => {
    const { node, arm, edit } = await prepared(600_000);
    await perform(node, arm, edit);
    await node.fireGuard?.(RUN, 'timer');
    await node.silence(900_000);
    const session = await node.connector.openToWrite(node.host, new AbortController().signal);
    expect(await session.perform(lock('run-of-another', 'session-2'))).toMatchObject({ ok: true, happened: 'now' });
    await session.close();
    await node.close();
  });
});
