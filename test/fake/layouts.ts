/**
 * Node layouts as data, as the platforms write them (kubelet.md 6.1), and what can be wrong with them.
 * Never complete images: only the files that decide what a kubelet runs with.
 */
import type { FileSeed } from './fake-files.js';
import type { KubeletFault } from './fake-kubelet.js';

export interface NodeLayout {
  readonly platform: string;
  readonly unit: string;
  /** The file of the kubelet's settings. */
  readonly configPath: string;
  readonly files: Readonly<Record<string, FileSeed>>;
  /** Output of `EXE --version` by path. */
  readonly versions: Readonly<Record<string, string>>;
}

/** A layout with something done to it. */
export interface NodeSpec {
  readonly layout: NodeLayout;
  /** In words, for people. */
  readonly ailment: string;
  readonly files?: Readonly<Record<string, FileSeed>>;
  readonly faults?: readonly KubeletFault[];
}

const BINARY: FileSeed = { content: '\u007fELF stand-in kubelet\n', mode: 0o755 };

const SHORT_JSON = {
  kind: 'KubeletConfiguration',
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  address: '0.0.0.0',
  authentication: { anonymous: { enabled: false }, webhook: { cacheTTL: '2m0s', enabled: true }, x509: { clientCAFile: '/etc/kubernetes/pki/ca.crt' } },
  authorization: { mode: 'Webhook' },
  clusterDomain: 'cluster.local',
  hairpinMode: 'hairpin-veth',
  readOnlyPort: 0,
  cgroupDriver: 'systemd',
  serializeImagePulls: false,
  serverTLSBootstrap: true,
  maxPods: 58,
};

/** JSON as EKS writes it; `more` goes in before the last member. */
export function jsonConfig(more: Readonly<Record<string, unknown>> = {}): string {
  const { maxPods, ...rest } = SHORT_JSON;
  return `${JSON.stringify({ ...rest, ...more, maxPods }, null, 2)}\n`;
}

export const eksAl2: NodeLayout = {
  platform: 'EKS AL2',
  unit: 'kubelet.service',
  configPath: '/etc/kubernetes/kubelet/kubelet-config.json',
  versions: { '/usr/bin/kubelet': 'Kubernetes v1.29.10-eks-94953ac' },
  files: {
    '/usr/bin/kubelet': BINARY,
    '/etc/systemd/system/kubelet.service': [
      '[Unit]', 'Description=Kubernetes Kubelet', 'After=containerd.service', '',
      '[Service]', 'Slice=runtime.slice',
      'ExecStart=/usr/bin/kubelet \\',
      '    --config /etc/kubernetes/kubelet/kubelet-config.json \\',
      '    --kubeconfig /var/lib/kubelet/kubeconfig \\',
      '    --container-runtime-endpoint unix:///run/containerd/containerd.sock \\',
      '    $KUBELET_ARGS $KUBELET_EXTRA_ARGS', '',
      'Restart=on-failure', 'RestartForceExitStatus=SIGPIPE', 'RestartSec=5', 'KillMode=process', '',
      '[Install]', 'WantedBy=multi-user.target', '',
    ].join('\n'),
    '/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf': "[Service]\nEnvironment='KUBELET_ARGS=--node-ip=10.0.7.21 --v=2'\n",
    '/etc/systemd/system/kubelet.service.d/30-kubelet-extra-args.conf': "[Service]\nEnvironment='KUBELET_EXTRA_ARGS=--node-labels=pool=a,team=payments --max-pods=58'\n",
    '/etc/kubernetes/kubelet/kubelet-config.json': jsonConfig(),
    '/var/lib/kubelet/kubeconfig': 'apiVersion: v1\nkind: Config\n',
  },
};

export const eksAl2023: NodeLayout = {
  platform: 'EKS AL2023',
  unit: 'kubelet.service',
  configPath: '/etc/kubernetes/kubelet/config.json',
  versions: { '/usr/bin/kubelet': 'Kubernetes v1.31.4-eks-aeac579' },
  files: {
    '/usr/bin/kubelet': BINARY,
    '/etc/systemd/system/kubelet.service': [
      '[Unit]', 'Description=Kubernetes Kubelet', '',
      '[Service]', 'Slice=runtime.slice', 'EnvironmentFile=/etc/eks/kubelet/environment', 'ExecStart=/usr/bin/kubelet $NODEADM_KUBELET_ARGS',
      'Restart=on-failure', 'RestartForceExitStatus=SIGPIPE', 'RestartSec=5', '',
      '[Install]', 'WantedBy=multi-user.target', '',
    ].join('\n'),
    '/etc/eks/kubelet/environment':
      'NODEADM_KUBELET_ARGS=--config=/etc/kubernetes/kubelet/config.json --kubeconfig=/var/lib/kubelet/kubeconfig --node-ip=10.0.9.4 --node-labels=pool=b\n',
    '/etc/kubernetes/kubelet/config.json': jsonConfig(),
  },
};

const AKS_FLAGS = [
  '--container-runtime-endpoint=unix:///run/containerd/containerd.sock', '--kubeconfig=/var/lib/kubelet/kubeconfig', '--max-pods=110', '--node-ip=0.0.0.0',
];

/** AKS's environment file with more flags at its end. */
export function aksEnvironment(...more: readonly string[]): FileSeed {
  const content = `KUBELET_FLAGS=${[...AKS_FLAGS, ...more].join(' ')}\nKUBELET_REGISTER_SCHEDULABLE=true\nKUBELET_NODE_LABELS=agentpool=nodepool1,storageprofile=managed\n`;
  return { content, mode: 0o600 };
}

export const aks: NodeLayout = {
  platform: 'AKS',
  unit: 'kubelet.service',
  configPath: '/etc/default/kubeletconfig.json',
  versions: { '/opt/bin/kubelet': 'Kubernetes v1.32.6' },
  files: {
    '/opt/bin/kubelet': BINARY,
    '/etc/systemd/system/kubelet.service': [
      '[Unit]', 'Description=Kubelet', 'ConditionPathExists=/opt/bin/kubelet', '',
      '[Service]', 'Restart=always', 'RestartSec=2', 'EnvironmentFile=/etc/default/kubelet', 'SuccessExitStatus=143',
      'ExecStart=/opt/bin/kubelet \\', '        --enable-server \\', '        --node-labels="${KUBELET_NODE_LABELS}" \\', '        --v=2 \\',
      '        $KUBELET_CONFIG_FILE_FLAGS \\', '        $KUBELET_FLAGS', '',
      '[Install]', 'WantedBy=multi-user.target', '',
    ].join('\n'),
    '/etc/systemd/system/kubelet.service.d/10-componentconfig.conf': '[Service]\nEnvironment="KUBELET_CONFIG_FILE_FLAGS=--config /etc/default/kubeletconfig.json"\n',
    '/etc/default/kubelet': aksEnvironment(),
    '/etc/default/kubeletconfig.json': { content: jsonConfig(), mode: 0o600 },
  },
};

/** The YAML that kubeadm writes, as an administrator left it: with comments. `lines` take the place of the timeout's line. */
export function kubeadmYaml(...lines: readonly string[]): string {
  return [
    '# written by kubeadm, then changed by hand', 'apiVersion: kubelet.config.k8s.io/v1beta1', 'kind: KubeletConfiguration', 'authentication:',
    '  anonymous:', '    enabled: false', '  webhook:', '    cacheTTL: 0s', '    enabled: true', 'authorization:', '  mode: Webhook',
    'cgroupDriver: systemd', 'clusterDNS:', '  - 10.96.0.10   # kube-dns', 'evictionHard:', '    memory.available: "200Mi" # agreed with the storage team',
    'healthzBindAddress: 127.0.0.1', 'healthzPort: 10248', 'rotateCertificates: true', ...lines, 'syncFrequency: 0s', '',
  ].join('\n');
}

export const kubeadm: NodeLayout = {
  platform: 'kubeadm',
  unit: 'kubelet.service',
  configPath: '/var/lib/kubelet/config.yaml',
  versions: { '/usr/bin/kubelet': 'Kubernetes v1.33.2' },
  files: {
    '/usr/bin/kubelet': BINARY,
    '/usr/lib/systemd/system/kubelet.service': [
      '[Unit]', 'Description=kubelet: The Kubernetes Node Agent', 'StartLimitIntervalSec=0', '',
      '[Service]', 'ExecStart=/usr/bin/kubelet', 'Restart=always', 'RestartSec=10', '',
      '[Install]', 'WantedBy=multi-user.target', '',
    ].join('\n'),
    '/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf': [
      '# Note: This dropin only works with kubeadm and kubelet v1.11+', '[Service]',
      'Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"',
      'Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"',
      'EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env', 'EnvironmentFile=-/etc/default/kubelet', 'ExecStart=',
      'ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS', '',
    ].join('\n'),
    '/var/lib/kubelet/kubeadm-flags.env': 'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///var/run/containerd/containerd.sock"\n',
    '/var/lib/kubelet/config.yaml': kubeadmYaml('streamingConnectionIdleTimeout: 4h0m0s'),
  },
};

const ZERO_FLAG_DROP_IN = "[Service]\nEnvironment='KUBELET_ARGS=--node-ip=10.0.7.21 --streaming-connection-idle-timeout=0 --v=2'\n";
const ZERO_JSON = jsonConfig({ streamingConnectionIdleTimeout: '0s' });

export const compliantAl2023: NodeSpec = { layout: eksAl2023, ailment: 'compliant (EKS AL2023, nothing set)' };
export const compliantKubeadm: NodeSpec = { layout: kubeadm, ailment: 'compliant (kubeadm, 4h0m0s in the YAML)' };

export const zeroFlagInDropIn: NodeSpec = {
  layout: eksAl2,
  ailment: 'flag =0 in 10-kubelet-args.conf (EKS AL2)',
  files: { '/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf': ZERO_FLAG_DROP_IN },
};

export const zeroInJson: NodeSpec = {
  layout: eksAl2,
  ailment: '"0s" in kubelet-config.json (EKS AL2)',
  files: { [eksAl2.configPath]: ZERO_JSON },
};

export const zeroFlagInEnvironmentFile: NodeSpec = {
  layout: aks,
  ailment: 'flag =0 in /etc/default/kubelet (AKS)',
  files: { '/etc/default/kubelet': aksEnvironment('--streaming-connection-idle-timeout=0', '--rotate-certificates=true') },
};

export const zeroInYaml: NodeSpec = {
  layout: kubeadm,
  ailment: '0s in config.yaml with comments (kubeadm)',
  files: { [kubeadm.configPath]: kubeadmYaml('# sessions of the build farm are long', 'streamingConnectionIdleTimeout: 0s  # ask ops before a change') },
};

/** Runs well as it is; with the new value it dies a moment after its start. Must end restored. */
export const diesWithNewValue: NodeSpec = {
  layout: eksAl2,
  ailment: '"0s" in kubelet-config.json, and the kubelet dies 1.2 s after a start with any other value (EKS AL2)',
  files: { [eksAl2.configPath]: jsonConfig({ streamingConnectionIdleTimeout: '0s', nodeStatusMaxImages: 50 }) },
  faults: [{ kind: 'dieAfterMs', ms: 1200, whenTimeout: '4h0m0s' }],
};
