/**
 * How real platforms lay out a kubelet's files (kubelet.md 6.1), shortened but true in what matters here:
 * paths, order, quoting, who owns what. Data makers only.
 */
import type { FileSpec } from './node.js';

export const EKS_CONFIG = '/etc/kubernetes/kubelet/kubelet-config.json';
export const KUBEADM_CONFIG = '/var/lib/kubelet/config.yaml';
export const FLAG = '--streaming-connection-idle-timeout';

const UNIT = '/etc/systemd/system/kubelet.service';
const DROP_INS = `${UNIT}.d`;
const EKS_ARGS = "--node-ip=192.0.2.17 --pod-infra-container-image=registry.example/pause:3.5 --v=2";
const EKS_EXTRA_ARGS = "--node-labels=pool=a,tier=web --max-pods=29";

export interface EksOptions {
  /** Added to the end of KUBELET_ARGS in 10-kubelet-args.conf. */
  readonly args?: string;
  /** Added to the end of KUBELET_EXTRA_ARGS in 30-kubelet-extra-args.conf. */
  readonly extraArgs?: string;
  /** Added to ExecStart= itself. */
  readonly execStart?: string;
  /** Lines for [Unit] and for [Service]. */
  readonly unitLines?: readonly string[];
  readonly serviceLines?: readonly string[];
  readonly config?: string;
}

/** EKS AL2: JSON file, two drop-ins, flags in the order KUBELET_ARGS, KUBELET_EXTRA_ARGS. */
export function eksFiles(options: EksOptions = {}): FileSpec[] {
  const words = ['/usr/bin/kubelet --cloud-provider aws', `--config ${EKS_CONFIG}`, '--kubeconfig /var/lib/kubelet/kubeconfig'];
  const execStart = [...words, ...(options.execStart === undefined ? [] : [options.execStart]), '$KUBELET_ARGS $KUBELET_EXTRA_ARGS'].join(' \\\n    ');
  const service = [`ExecStart=${execStart}`, '', 'Restart=on-failure', 'RestartForceExitStatus=SIGPIPE', 'RestartSec=5', 'KillMode=process', ...(options.serviceLines ?? [])];
  return [
    { path: UNIT, content: unitText(['After=network.target', ...(options.unitLines ?? [])], service) },
    { path: `${DROP_INS}/10-kubelet-args.conf`, content: `[Service]\nEnvironment='KUBELET_ARGS=${joined(EKS_ARGS, options.args)}'\n` },
    { path: `${DROP_INS}/30-kubelet-extra-args.conf`, content: `[Service]\nEnvironment='KUBELET_EXTRA_ARGS=${joined(EKS_EXTRA_ARGS, options.extraArgs)}'\n` },
    { path: EKS_CONFIG, content: options.config ?? jsonConfig() },
  ];
}

/** The file as the EKS AMI ships it, without or with the key of the control. */
export function jsonConfig(timeout?: string): string {
  const members = {
    kind: 'KubeletConfiguration',
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    address: '0.0.0.0',
    authentication: { anonymous: { enabled: false }, webhook: { cacheTTL: '2m0s', enabled: true } },
    clusterDomain: 'cluster.local',
    ...(timeout === undefined ? {} : { streamingConnectionIdleTimeout: timeout }),
    hairpinMode: 'hairpin-veth',
    readOnlyPort: 0,
    featureGates: { RotateKubeletServerCertificate: true },
    serializeImagePulls: false,
  };
  return `${JSON.stringify(members, undefined, 2)}\n`;
}

/** kubeadm packages: unit and main drop-in in /usr/lib, YAML file, two environment files that may be missing. */
export function kubeadmFiles(config: string, vendorFlags = ''): FileSpec[] {
  const execStart = '/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS';
  const dropIn = [
    '# Note: This dropin only works with kubeadm and kubelet v1.11+',
    '[Service]',
    'Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"',
    `Environment="KUBELET_CONFIG_ARGS=${joined(`--config=${KUBEADM_CONFIG}`, vendorFlags)}"`,
    'EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env',
    'EnvironmentFile=-/etc/default/kubelet',
    'ExecStart=',
    `ExecStart=${execStart}`,
    '',
  ];
  return [
    { path: '/usr/lib/systemd/system/kubelet.service', content: unitText(['Wants=network-online.target', 'StartLimitIntervalSec=0'], ['ExecStart=/usr/bin/kubelet', 'Restart=always', 'RestartSec=10']) },
    { path: '/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf', content: dropIn.join('\n') },
    { path: '/var/lib/kubelet/kubeadm-flags.env', content: 'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///run/containerd/containerd.sock"\n' },
    { path: KUBEADM_CONFIG, content: config },
  ];
}

/** As kubeadm writes it: Go prints unset durations as 0s. */
export function yamlConfig(timeoutLine = 'streamingConnectionIdleTimeout: 0s'): string {
  return `apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
cgroupDriver: systemd
clusterDNS:
- 10.96.0.10
clusterDomain: cluster.local
cpuManagerReconcilePeriod: 0s
healthzBindAddress: 127.0.0.1
healthzPort: 10248
kind: KubeletConfiguration
rotateCertificates: true
shutdownGracePeriod: 0s
staticPodPath: /etc/kubernetes/manifests
${timeoutLine}
syncFrequency: 0s
volumeStatsAggPeriod: 0s
`;
}

/** AKS: flags in /etc/default/kubelet (0600), which beats every Environment=. */
export function aksFiles(flags: string): FileSpec[] {
  const config = '/etc/default/kubeletconfig.json';
  const execStart = ['/usr/bin/kubelet --enable-server', '--node-labels="${KUBELET_NODE_LABELS}"', '--v=2', '$KUBELET_CONFIG_FILE_FLAGS', '$KUBELET_FLAGS'].join(' \\\n        ');
  const environment = ['KUBELET_NODE_LABELS=agentpool=nodepool1,kubernetes.azure.com/role=agent', `KUBELET_FLAGS=${joined('--cloud-provider=external --pod-max-pids=-1', flags)}`, ''];
  return [
    { path: UNIT, content: unitText([], ['Restart=always', 'RestartSec=2', 'SuccessExitStatus=143', 'EnvironmentFile=/etc/default/kubelet', `ExecStart=${execStart}`]) },
    { path: `${DROP_INS}/10-componentconfig.conf`, content: `[Service]\nEnvironment="KUBELET_CONFIG_FILE_FLAGS=--config ${config}"\n` },
    { path: '/etc/default/kubelet', content: environment.join('\n'), mode: 0o600 },
    { path: config, content: jsonConfig(), mode: 0o600 },
  ];
}

/** EKS AL2023: nodeadm writes all of it anew at every boot. */
export function nodeadmFiles(timeout: string): FileSpec[] {
  const config = '/etc/kubernetes/kubelet/config.json';
  const service = ['Slice=runtime.slice', 'EnvironmentFile=/etc/eks/kubelet/environment', 'ExecStart=/usr/bin/kubelet $NODEADM_KUBELET_ARGS', 'Restart=on-failure', 'RestartForceExitStatus=SIGPIPE', 'RestartSec=5', 'KillMode=process'];
  return [
    { path: UNIT, content: unitText(['After=network.target'], service) },
    { path: '/etc/systemd/system/nodeadm-config.service', content: '[Unit]\nDescription=EKS Nodeadm Config\n\n[Service]\nType=oneshot\nExecStart=/bin/true\n\n[Install]\nWantedBy=multi-user.target\n' },
    { path: '/etc/systemd/system/nodeadm-run.service', content: '[Unit]\nDescription=EKS Nodeadm Run\n\n[Service]\nType=oneshot\nExecStart=/bin/true\n\n[Install]\nWantedBy=multi-user.target\n' },
    { path: '/etc/eks/kubelet/environment', content: `NODEADM_KUBELET_ARGS=--hostname-override=ip-192-0-2-17.internal --config=${config} --kubeconfig=/var/lib/kubelet/kubeconfig\n` },
    { path: config, content: jsonConfig(timeout) },
  ];
}

function unitText(unitLines: readonly string[], serviceLines: readonly string[]): string {
  const sections = [['[Unit]', 'Description=Kubernetes Kubelet', ...unitLines], ['[Service]', ...serviceLines], ['[Install]', 'WantedBy=multi-user.target']];
  return `${sections.map((section) => section.join('\n')).join('\n\n')}\n`;
}

function joined(words: string, more: string | undefined): string {
  return more === undefined || more === '' ? words : `${words} ${more}`;
}
