/** Named states of a node's kubelet, healthy and sick, and what fleetmend should make of each. Data; arrange.ts brings a node there. */
import { aksFiles, EKS_CONFIG, eksFiles, FLAG, jsonConfig, kubeadmFiles, nodeadmFiles, yamlConfig } from './layouts.js';
import type { FileSpec } from './node.js';

export interface Ailment {
  readonly about: string;
  readonly files: readonly FileSpec[];
  /** Shell commands after the files were written and before the kubelet is started. */
  readonly before?: readonly string[];
  /** Shell commands after the kubelet was started and got healthy. */
  readonly after?: readonly string[];
  /** Default: started and healthy. `ill`: started, and it will not get healthy. */
  readonly kubelet?: 'stopped' | 'ill';
  /** With the playbook as it stands: audit's verdict, and the outcome of a mend. */
  readonly expected: {
    readonly verdict: 'pass' | 'fail' | 'unknown';
    readonly outcome: 'compliant' | 'changed' | 'restored' | 'refused';
    /** configz of the running kubelet before the mend. */
    readonly effective?: string;
  };
}

/** Effective only when the kubelet runs with the value that a mend brings. */
function faultWithNewValue(fault: string): FileSpec {
  return { path: '/etc/kubelet-faults', content: `${fault} when streamingConnectionIdleTimeout=4h0m0s\n` };
}

const CHANGED_FROM_ZERO = { verdict: 'fail', outcome: 'changed', effective: '0s' } as const;
const CHANGED_FROM_WRITTEN_ZERO = { verdict: 'fail', outcome: 'changed', effective: '4h0m0s' } as const;
const RESTORED = { verdict: 'fail', outcome: 'restored', effective: '0s' } as const;
const REFUSED = { verdict: 'fail', outcome: 'refused', effective: '4h0m0s' } as const;

const CRLF_YAML = yamlConfig('# how long a stream may be idle\nstreamingConnectionIdleTimeout: 0s   # as kubeadm wrote it').replaceAll('\n', '\r\n');

export const AILMENTS = {
  'compliant-by-absence': {
    about: 'no flag and no key: the default of 4 hours holds',
    files: eksFiles(),
    expected: { verdict: 'pass', outcome: 'compliant', effective: '4h0m0s' },
  },
  'compliant-explicit': {
    about: 'the key is set to 4 hours in the file',
    files: eksFiles({ config: jsonConfig('4h0m0s') }),
    expected: { verdict: 'pass', outcome: 'compliant', effective: '4h0m0s' },
  },
  'json-zero': {
    about: 'JSON file says "0s"',
    files: eksFiles({ config: jsonConfig('0s') }),
    expected: CHANGED_FROM_WRITTEN_ZERO,
  },
  'json-bom': {
    about: 'JSON file that begins with a byte order mark',
    files: eksFiles({ config: `\uFEFF${jsonConfig('0s')}` }),
    expected: CHANGED_FROM_WRITTEN_ZERO,
  },
  'yaml-zero': {
    about: 'kubeadm: YAML file says 0s, unit in /usr/lib',
    files: kubeadmFiles(yamlConfig()),
    expected: CHANGED_FROM_WRITTEN_ZERO,
  },
  'yaml-crlf-comments': {
    about: 'YAML file with comments and Windows line ends',
    files: kubeadmFiles(CRLF_YAML),
    expected: CHANGED_FROM_WRITTEN_ZERO,
  },
  'config-symlink': {
    about: 'the config file is a link to a file elsewhere, owned by another user, mode 0640',
    files: eksFiles({ config: jsonConfig('0s') }),
    before: ['mkdir -p /opt/kubelet', `mv ${EKS_CONFIG} /opt/kubelet/real.json`, 'chown ops:ops /opt/kubelet/real.json', 'chmod 640 /opt/kubelet/real.json', `ln -s /opt/kubelet/real.json ${EKS_CONFIG}`],
    expected: CHANGED_FROM_WRITTEN_ZERO,
  },
  'flag-dropin': {
    about: 'flag =0 in 10-kubelet-args.conf',
    files: eksFiles({ args: `${FLAG}=0 --max-pods=17` }),
    expected: CHANGED_FROM_ZERO,
  },
  'flag-two-words': {
    about: 'flag and value as two words in 30-kubelet-extra-args.conf',
    files: eksFiles({ extraArgs: `${FLAG} 0` }),
    expected: CHANGED_FROM_ZERO,
  },
  'flag-underscores': {
    about: 'flag written with underscores, zero as 0h0m0s',
    files: eksFiles({ args: `${FLAG.replaceAll('-', '_').replace('__', '--')}=0h0m0s` }),
    expected: CHANGED_FROM_ZERO,
  },
  'flag-environment-file': {
    about: 'AKS: flag in /etc/default/kubelet, mode 0600',
    files: aksFiles(`${FLAG}=0 --rotate-certificates=true`),
    expected: CHANGED_FROM_ZERO,
  },
  'flag-execstart': {
    about: 'flag in ExecStart= of the unit in /etc',
    files: eksFiles({ execStart: `${FLAG}=0` }),
    expected: CHANGED_FROM_ZERO,
  },
  'flag-and-file': {
    about: 'flag =0 in both drop-ins and "0s" in the file',
    files: eksFiles({ args: `${FLAG}=4h`, extraArgs: `${FLAG}=0`, config: jsonConfig('0s') }),
    expected: CHANGED_FROM_ZERO,
  },
  notify: {
    about: 'unit of Type=notify, flag =0',
    files: eksFiles({ args: `${FLAG}=0`, serviceLines: ['Type=notify'] }),
    expected: CHANGED_FROM_ZERO,
  },
  'slow-start': {
    about: 'healthz answers only 3 seconds after the start',
    files: [...eksFiles({ args: `${FLAG}=0` }), { path: '/etc/kubelet-faults', content: 'healthy-after 3\n' }],
    expected: CHANGED_FROM_ZERO,
  },
  'refuses-new-config': {
    about: 'the kubelet exits at once with the mended value',
    files: [...eksFiles({ args: `${FLAG}=0` }), faultWithNewValue('refuse')],
    expected: RESTORED,
  },
  'dies-after-2s': {
    about: 'the kubelet starts with the mended value and dies 2 seconds later',
    files: [...eksFiles({ args: `${FLAG}=0` }), faultWithNewValue('die-after 2')],
    expected: RESTORED,
  },
  'never-healthy': {
    about: 'the kubelet runs with the mended value, but healthz says no',
    files: [...eksFiles({ extraArgs: `${FLAG} 0` }), faultWithNewValue('never-healthy')],
    expected: RESTORED,
  },
  'start-limit': {
    about: 'the one restart hits the start limit of systemd',
    // A file, not a flag: a daemon-reload would forget the count.
    files: eksFiles({ config: jsonConfig('0s'), unitLines: ['StartLimitIntervalSec=3600', 'StartLimitBurst=1'] }),
    expected: { verdict: 'fail', outcome: 'restored', effective: '4h0m0s' },
  },
  'readonly-config': {
    about: 'the config file is a read-only bind mount',
    files: eksFiles({ config: jsonConfig('0s') }),
    before: [`mount --bind ${EKS_CONFIG} ${EKS_CONFIG}`, `mount -o remount,ro,bind ${EKS_CONFIG}`],
    expected: REFUSED,
  },
  'immutable-config': {
    about: 'the config file is immutable (chattr +i)',
    files: eksFiles({ config: jsonConfig('0s') }),
    before: [`chattr +i ${EKS_CONFIG}`],
    expected: REFUSED,
  },
  'full-disk': {
    about: 'no byte is free where the config file lies',
    files: eksFiles({ config: jsonConfig('0s') }),
    before: [
      `cp ${EKS_CONFIG} /run/kubelet-config`,
      'mount -t tmpfs -o size=64k tmpfs /etc/kubernetes/kubelet',
      `cp /run/kubelet-config ${EKS_CONFIG}`,
      'cat /dev/zero >/etc/kubernetes/kubelet/ballast 2>/dev/null || true',
    ],
    expected: REFUSED,
  },
  'sick-before': {
    about: 'a crash loop before anybody came',
    files: [...eksFiles({ args: `${FLAG}=0`, unitLines: ['StartLimitIntervalSec=0'] }), { path: '/etc/kubelet-faults', content: 'die-after 0.5\n' }],
    kubelet: 'ill',
    expected: { verdict: 'unknown', outcome: 'refused' },
  },
  stopped: {
    about: 'the kubelet is installed and stopped',
    files: eksFiles({ args: `${FLAG}=0` }),
    kubelet: 'stopped',
    expected: { verdict: 'unknown', outcome: 'refused' },
  },
  generated: {
    about: 'EKS AL2023: nodeadm writes the files anew at every boot',
    files: nodeadmFiles('0s'),
    before: ['systemctl enable --quiet nodeadm-config.service nodeadm-run.service'],
    expected: REFUSED,
  },
  drifted: {
    about: 'a drop-in was edited after the start, without daemon-reload',
    files: eksFiles({ args: `${FLAG}=0` }),
    after: ["sed -i 's/--v=2/--v=3/' /etc/systemd/system/kubelet.service.d/10-kubelet-args.conf"],
    expected: { verdict: 'fail', outcome: 'refused', effective: '0s' },
  },
  'file-drifted': {
    about: 'the config file was edited after the start and would not load',
    files: eksFiles({ config: jsonConfig('0s') }),
    after: [`sed -i 's/"streamingConnectionIdleTimeout": "0s"/"streamingConnectionIdleTimeout": 0/' ${EKS_CONFIG}`],
    expected: REFUSED,
  },
  'vendor-dropin': {
    about: 'the flag stands in a drop-in of the package in /usr/lib',
    files: kubeadmFiles(yamlConfig('streamingConnectionIdleTimeout: 4h0m0s'), `${FLAG}=0`),
    expected: { verdict: 'fail', outcome: 'refused', effective: '0s' },
  },
} as const satisfies Readonly<Record<string, Ailment>>;

export type AilmentName = keyof typeof AILMENTS;

export const AILMENT_NAMES = Object.keys(AILMENTS) as readonly AilmentName[];


