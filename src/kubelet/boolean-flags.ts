/**
 * Which kubelet flags are boolean, that is, never take the next word as their value. Names only: never says whether a
 * given kubelet still knows a flag. A name that only old releases know does no harm: a newer kubelet would not run with it.
 */

/**
 * From the kubelet's flag registration (`BoolVar` in cmd/kubelet/app/options, all releases since 1.9 or so), klog's and
 * component-base's logging flags, cAdvisor's flags that leaked into the kubelet, and `--help`/`--version` (kubelet.md 2.3).
 * Names are normalised: `-` for `_`.
 */
export const BOOLEAN_FLAGS: ReadonlySet<string> = new Set([
  // of the kubelet, current
  'anonymous-auth', 'authentication-token-webhook', 'cgroups-per-qos', 'contention-profiling', 'cpu-cfs-quota',
  'enable-controller-attach-detach', 'enable-debugging-handlers', 'enable-server', 'exit-on-lock-contention',
  'experimental-allocatable-ignore-eviction', 'fail-swap-on', 'keep-terminated-pod-volumes', 'kernel-memcg-notification',
  'local-storage-capacity-isolation', 'make-iptables-util-chains', 'protect-kernel-defaults', 'register-node',
  'register-schedulable', 'rotate-certificates', 'rotate-server-certificates', 'runonce', 'seccomp-default',
  'serialize-image-pulls',
  // of the kubelet, on Windows
  'windows-service',
  // of older kubelets
  'allow-privileged', 'babysit-daemons', 'configure-cbr0', 'containerized', 'docker-disable-shared-pid',
  'enable-cadvisor-json-endpoints', 'enable-custom-metrics', 'enable-tracing',
  'experimental-cgroups-per-qos', 'experimental-check-node-capabilities-before-mount', 'experimental-dockershim',
  'experimental-fail-swap-on', 'experimental-flannel-overlay', 'experimental-kernel-memcg-notification',
  'really-crash-for-testing', 'reconcile-cidr', 'redirect-container-streaming', 'require-kubeconfig',
  // of the logging libraries
  'add-dir-header', 'alsologtostderr', 'legacy-stderr-threshold-behavior', 'log-json-split-stream', 'log-text-split-stream',
  'logtostderr', 'one-output', 'skip-headers', 'skip-log-headers',
  // of cAdvisor
  'docker-only', 'docker-tls', 'enable-load-reader', 'log-cadvisor-usage', 'storage-driver-secure',
  // of every component; `--version` takes a value only behind `=`
  'help', 'version',
]);
