/** Mends that go wrong on the node: every file is as it was, byte for byte, and the kubelet runs with its old command line. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrange } from '../lab/arrange.js';
import type { AilmentName } from '../lab/ailments.js';
import { forEachLimited } from '../lab/command.js';
import { EKS_CONFIG, KUBEADM_CONFIG } from '../lab/layouts.js';
import type { LabNode } from '../lab/lab.js';
import type { Ended, HostDocument } from './fleetmend.js';
import { hostsOf } from './fleetmend.js';
import { lookAt } from './snapshot.js';
import type { NodeTruth } from './snapshot.js';
import type { Stage } from './stage.js';
import { raiseStage } from './stage.js';
import { changedPaths, fileTruth, GUARD_TRACES, withParents } from './truth.js';

const ARGS = '/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf';
const EXTRA_ARGS = '/etc/systemd/system/kubelet.service.d/30-kubelet-extra-args.conf';

interface Case {
  readonly ailment: AilmentName;
  /** Done after the arrangement. */
  readonly more?: readonly string[];
  readonly edits: readonly string[];
  readonly kind: string;
  readonly why: RegExp;
  /** The new state and the old one are started once each; less when the new one was not even started. */
  readonly starts: number;
}

/** Everything by which a restored file could differ without a byte of difference. */
function markFile(path: string, mode: string): string {
  return `chown ops:ops '${path}'; chmod ${mode} '${path}'; cd /; touch -d '2024-02-29 12:34:56.123456789' '${path}'
    tar --format=pax --xattrs --pax-option='SCHILY.xattr.user.fleet:=old' -cPf /root/marked.tar '${path}'
    tar --xattrs --xattrs-include='user.*' -xPf /root/marked.tar; rm /root/marked.tar; setcap cap_net_raw+ep '${path}'`;
}

const CASES: Readonly<Record<string, Case>> = {
  'dies-at-once': {
    ailment: 'flag-and-file',
    more: [markFile(EKS_CONFIG, '0640'), markFile(EXTRA_ARGS, '0600'), 'echo "die-after 0.3 when streamingConnectionIdleTimeout=4h0m0s" >/etc/kubelet-faults'],
    edits: [EKS_CONFIG, ARGS, EXTRA_ARGS],
    kind: 'unhealthy',
    why: /kubelet\.service/,
    starts: 2,
  },
  'refuses-config-file': {
    ailment: 'yaml-crlf-comments',
    more: [`chmod 0400 ${KUBEADM_CONFIG}`, 'echo "refuse when file.streamingConnectionIdleTimeout=4h0m0s" >/etc/kubelet-faults'],
    edits: [KUBEADM_CONFIG],
    kind: 'unhealthy',
    why: /kubelet\.service/,
    starts: 2,
  },
  'refuses-new-config': { ailment: 'refuses-new-config', edits: [EKS_CONFIG, ARGS], kind: 'unhealthy', why: /kubelet\.service/, starts: 2 },
  'dies-after-2s': { ailment: 'dies-after-2s', edits: [EKS_CONFIG, ARGS], kind: 'unhealthy', why: /ended by itself|restarted automatically/, starts: 2 },
  'never-healthy': { ailment: 'never-healthy', edits: [EKS_CONFIG, EXTRA_ARGS], kind: 'unhealthy', why: /healthz answers 500 \(after 30 s\)/, starts: 2 },
  'start-limit': { ailment: 'start-limit', edits: [EKS_CONFIG], kind: 'exit', why: /attempted too often/, starts: 1 },
};

async function truthOfFiles(node: LabNode, paths: readonly string[]): Promise<string[]> {
  return Promise.all(paths.map(async (path) => fileTruth(node, path)));
}

describe('mends that go wrong', () => {
  const names = Object.keys(CASES);
  let stage: Stage;
  let ended: Ended;
  let hosts: ReadonlyMap<string, HostDocument>;
  let before: (name: string) => NodeTruth;
  let after: (name: string) => NodeTruth;
  const files = new Map<string, string[]>();

  beforeAll(async () => {
    stage = await raiseStage(names);
    await forEachLimited(Object.entries(CASES), 8, async ([name, { ailment, more, edits }]) => {
      await arrange(stage.node(name), ailment);
      await stage.node(name).mustExec(['set -e', ...(more ?? [])].join('\n'));
      files.set(name, await truthOfFiles(stage.node(name), edits));
    });
    before = await lookAt(stage.lab.nodes);
    ended = await stage.run('apply', names);
    hosts = hostsOf(ended);
    after = await lookAt(stage.lab.nodes);
  });

  afterAll(async () => {
    await stage?.end();
  });

  it('end the run with exit code 2', () => {
    expect(ended).toMatchObject({ code: 2, stderr: '' });
  });

  describe.each(Object.entries(CASES))('%s', (name, { edits, kind, why, starts }) => {
    it('is restored, and the reason is told', () => {
      expect(hosts.get(name)).toMatchObject({ outcome: 'restored', failure: { kind } });
      expect(hosts.get(name)?.failure?.summary).toMatch(why);
      expect(hosts.get(name)?.failure?.done).toMatch(/all files have their old bytes/);
    });

    it('has every edited file back: bytes, mode, owner, time to the nanosecond, extended attributes', async () => {
      expect(await truthOfFiles(stage.node(name), edits)).toEqual(files.get(name));
    });

    it('has no other file touched, not even its inode or time', () => {
      const changed = changedPaths(before(name).files, after(name).files);
      expect(changed).toEqual([...new Set([...withParents(edits), ...GUARD_TRACES, '/var/lib', '/var/lib/fleetmend'])].sort());
    });

    it('runs the old command line again, with nothing left to reload and no restart too many', () => {
      const [was, is] = [before(name).service, after(name).service];
      expect(is).toMatchObject({ ActiveState: 'active', NRestarts: '0', NeedDaemonReload: 'no', argv: was.argv, timeout: was.timeout });
      // A kubelet that dies is started again by systemd, if nobody is quicker.
      expect(is.starts - is.automaticRestarts).toBe(was.starts + starts);
    });

    it('has nothing lying beside its files', async () => {
      const directories = [...new Set(edits.map((path) => path.slice(0, path.lastIndexOf('/'))))];
      expect(await stage.node(name).mustExec(`find ${directories.join(' ')} -name '*fleetmend*'`)).toBe('');
    });
  });

  it('compare files that really carry marks', () => {
    const [config] = files.get('dies-at-once') ?? [];
    expect(config).toMatch(/^regular file 640 2001:2001 \d+ 2024-02-29 12:34:56\.123456789/);
    expect(config).toContain('SCHILY.xattr.user.fleet=old');
    expect(config).toContain('cap_net_raw=ep');
  });

  it('leave no start limit behind: the kubelet can be restarted by hand', async () => {
    expect(await stage.node('start-limit').mustExec('systemctl show -P Result kubelet; systemctl reset-failed kubelet; systemctl restart kubelet; systemctl is-active kubelet')).toBe('success\nactive\n');
  });

  it('tell a person what happened, host by host', async () => {
    const { code, stdout } = await stage.run('apply', ['dies-at-once'], { output: 'text', arguments: ['--yes'] });
    expect(code).toBe(2);
    expect(stdout).toMatch(/^ {2}restored +1 +dies-at-once$/m);
    expect(stdout).toMatch(/^ {2}dies-at-once restored: .*kubelet\.service.*all files have their old bytes/m);
  });
});
