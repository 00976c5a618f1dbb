/** Nodes that must not be touched, or whose file system says no: the reason is told, and nothing of them is changed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrange } from '../lab/arrange.js';
import type { AilmentName } from '../lab/ailments.js';
import { AILMENTS } from '../lab/ailments.js';
import { forEachLimited, quote } from '../lab/command.js';
import { EKS_CONFIG } from '../lab/layouts.js';
import type { Ended, HostDocument } from './fleetmend.js';
import { hostsOf } from './fleetmend.js';
import { lookAt } from './snapshot.js';
import type { NodeTruth } from './snapshot.js';
import type { Stage } from './stage.js';
import { raiseStage } from './stage.js';
import { changedPaths, fileTruth, GUARD_TRACES, withParents } from './truth.js';

const DROP_INS = '/etc/systemd/system/kubelet.service.d';

interface Case {
  readonly ailment: AilmentName;
  readonly more?: readonly string[];
  readonly kind: RegExp;
  readonly why: RegExp;
}

const CASES: Readonly<Record<string, Case>> = {
  'readonly-config': { ailment: 'readonly-config', kind: /^readOnly$/, why: /kubelet-config\.json cannot be written/ },
  'readonly-directory': {
    ailment: 'json-zero',
    more: ['mount --bind /etc/kubernetes /etc/kubernetes', 'mount -o remount,ro,bind /etc/kubernetes'],
    kind: /^readOnly$/,
    why: /kubelet-config\.json cannot be written: readOnlyMount/,
  },
  'immutable-config': { ailment: 'immutable-config', kind: /^readOnly$/, why: /kubelet-config\.json cannot be written: immutable/ },
  'full-disk': { ailment: 'full-disk', kind: /^noSpace$/, why: /kubelet-config\.json cannot be written: noSpace/ },
  'no-room-for-copies': {
    ailment: 'flag-dropin',
    more: ['mkdir -m 700 /var/lib/fleetmend', 'mount -t tmpfs -o size=16k,mode=700 tmpfs /var/lib/fleetmend'],
    kind: /^noSpace$/,
    why: /cannot be written: noSpace/,
  },
  'hard-link': { ailment: 'json-zero', more: [`ln ${EKS_CONFIG} /opt/second-name`], kind: /^unsupported$/, why: /2 hard links/ },
  generated: { ailment: 'generated', kind: /^generated$/, why: /nodeadm, at every boot/ },
  'vendor-dropin': { ailment: 'vendor-dropin', kind: /^generated$/, why: /written by a package/ },
  drifted: { ailment: 'drifted', kind: /^drift$/, why: /has not reloaded/ },
  'file-drifted': { ailment: 'file-drifted', kind: /^latentCrash$/, why: /the next start would fail/ },
  // In a crash loop it may just be up when it is looked at.
  'sick-before': { ailment: 'sick-before', kind: /^(notJudged|unhealthy)$/, why: /kubelet\.service/ },
  stopped: { ailment: 'stopped', kind: /^notJudged$/, why: /kubelet\.service is stopped/ },
  unhealthy: {
    ailment: 'flag-dropin',
    more: ['echo never-healthy >/etc/kubelet-faults', "touch -d '1 hour ago' /etc/kubelet-faults", 'systemctl restart kubelet'],
    kind: /^unhealthy$/,
    why: /sick before anything was touched/,
  },
};

const LARGE = 60_000;
/** Three copies of large files: room for the guard and two of them, although each alone would have found enough. */
const FILLS_UP = [
  `for f in ${DROP_INS}/*.conf; do { cat $f; head -c ${LARGE} /dev/zero | tr '\\0' '#' | fold -w 100; echo; } >/root/new; cat /root/new >$f; done; rm /root/new`,
  `head -c ${LARGE} /dev/zero | tr '\\0' ' ' >>${EKS_CONFIG}`,
  'mkdir -m 700 /var/lib/fleetmend',
  'mount -t tmpfs -o size=292k,mode=700 tmpfs /var/lib/fleetmend',
  'systemctl daemon-reload',
  'sleep 2',
  'systemctl restart kubelet',
];
const THREE_FILES = [EKS_CONFIG, `${DROP_INS}/10-kubelet-args.conf`, `${DROP_INS}/30-kubelet-extra-args.conf`];

describe('nodes that must not be touched', () => {
  const names = Object.keys(CASES);
  const others = ['fills-up', 'edited-meanwhile', 'declined'];
  let stage: Stage;
  let plan: Ended;
  let apply: Ended;
  let planned: ReadonlyMap<string, HostDocument>;
  let hosts: ReadonlyMap<string, HostDocument>;
  let before: (name: string) => NodeTruth;
  let after: (name: string) => NodeTruth;

  beforeAll(async () => {
    stage = await raiseStage([...names, ...others]);
    await forEachLimited(Object.entries(CASES), 8, async ([name, { ailment, more }]) => {
      await arrange(stage.node(name), ailment);
      await stage.node(name).mustExec(['set -e', ...(more ?? [])].join('\n'));
    });
    await arrange(stage.node('fills-up'), 'flag-and-file');
    await stage.node('fills-up').mustExec(['set -e', ...FILLS_UP].join('\n'));
    for (const name of ['edited-meanwhile', 'declined']) await arrange(stage.node(name), 'flag-dropin');
    before = await lookAt(stage.lab.nodes);
    plan = await stage.run('plan', names);
    apply = await stage.run('apply', names);
    [planned, hosts] = [hostsOf(plan), hostsOf(apply)];
    after = await lookAt(stage.lab.nodes);
  });

  afterAll(async () => {
    await stage?.end();
  });

  it('end a run with exit code 2', () => {
    expect(apply).toMatchObject({ code: 2, stderr: '' });
  });

  describe.each(Object.entries(CASES))('%s', (name, { ailment, kind, why }) => {
    it('is refused by the plan, with the reason and without a step', () => {
      expect(planned.get(name)?.plan?.steps).toEqual([]);
      expect(planned.get(name)?.plan?.refusal?.kind).toMatch(kind);
      expect(planned.get(name)?.plan?.refusal?.summary).toMatch(why);
    });

    it('is refused by a mend with the same reason', () => {
      expect(hosts.get(name)?.outcome).toBe('refused');
      expect(hosts.get(name)?.failure?.kind).toMatch(kind);
      expect(hosts.get(name)?.failure?.summary).toMatch(why);
    });

    it('has no file touched', () => {
      expect(changedPaths(before(name).files, after(name).files)).toEqual([]);
    });

    // A kubelet in a crash loop is started by systemd all the time.
    const crashes = 'kubelet' in AILMENTS[ailment] && AILMENTS[ailment].kubelet === 'ill';
    if (!crashes) {
      it('has its kubelet neither started nor restarted', () => {
        expect(after(name).service).toEqual(before(name).service);
      });
    }
  });

  it('a stopped kubelet is still stopped', () => {
    expect(after('stopped').service).toMatchObject({ ActiveState: 'inactive', MainPID: '0', starts: 0 });
  });

  describe('a disk that fills up in the middle of the changes', () => {
    it('is met by putting everything back', async () => {
      const node = stage.node('fills-up');
      const files = await Promise.all(THREE_FILES.map(async (path) => fileTruth(node, path)));
      const ended = await stage.run('apply', ['fills-up']);
      const now = await lookAt([node]);
      expect(hostsOf(ended).get('fills-up')).toMatchObject({ outcome: 'restored', failure: { kind: 'noSpace' } });
      expect(ended.code).toBe(2);
      expect(await Promise.all(THREE_FILES.map(async (path) => fileTruth(node, path)))).toEqual(files);
      const edited = [...withParents(THREE_FILES), ...GUARD_TRACES];
      expect(changedPaths(before('fills-up').files, now('fills-up').files).filter((path) => !edited.includes(path))).toEqual(['/var/lib/fleetmend']);
      // It had not come to the restart: the same process still runs.
      expect(now('fills-up').service).toEqual(before('fills-up').service);
    });
  });

  describe('the question before the first change', () => {
    /** A pseudo terminal around the command; its exit code is the command's. */
    const onTerminal = (name: string) => {
      const command = stage.command('apply', [name], { output: 'text' }).map(quote).join(' ');
      return stage.launch(['script', '-qec', command, '/dev/null'], { TERM: 'dumb', SHELL: '/bin/sh' });
    };

    it('answered by no changes nothing', async () => {
      const terminal = onTerminal('declined');
      await terminal.said(/Change 1 host.* \[y\/N\]/);
      terminal.child.stdin?.write('n\n');
      const ended = await terminal.ended;
      expect(ended.stdout).toContain('nothing was changed');
      expect(ended.code).toBe(1);
      const now = await lookAt([stage.node('declined')]);
      expect(changedPaths(before('declined').files, now('declined').files)).toEqual([]);
      expect(now('declined').service).toEqual(before('declined').service);
    });

    it('leaves time for somebody else to edit the file: then the host is refused, and their edit stays', async () => {
      const node = stage.node('edited-meanwhile');
      const terminal = onTerminal('edited-meanwhile');
      await terminal.said(/Change 1 host.* \[y\/N\]/);
      // Same size and same time: only the bytes tell.
      await node.mustExec(`touch -r ${EKS_CONFIG} /root/time; sed -i 's/cluster.local/fleet.locals/; s/hairpin-veth/hairpin-vet/' ${EKS_CONFIG}; touch -r /root/time ${EKS_CONFIG}; rm /root/time`);
      const edited = await lookAt([node]);
      terminal.child.stdin?.write('yes\n');
      const ended = await terminal.ended;
      expect(ended.stdout).toMatch(/edited-meanwhile refused: changed since the plan was shown: \S*config\S*: other content \([0-9a-f]{12}, now [0-9a-f]{12}\); nothing was touched; plan again/);
      expect(ended.code).toBe(2);
      const now = await lookAt([node]);
      // The node was locked for this run before it was looked at again.
      expect(changedPaths(edited('edited-meanwhile').files, now('edited-meanwhile').files)).toEqual(['/var/lib', '/var/lib/fleetmend']);
      expect(now('edited-meanwhile').service).toEqual(edited('edited-meanwhile').service);
    });
  });
});
