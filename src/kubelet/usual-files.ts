/** Where the files that decide over a kubelet usually lie, by platform (kubelet.md 6.1). For rules that must name files in advance; a survey goes by what it finds. */
export const USUAL_KUBELET_FILES: readonly string[] = [
  '/var/lib/kubelet/config.yaml',
  '/var/lib/kubelet/kubeadm-flags.env',
  '/etc/default/kubelet',
  '/etc/default/kubeletconfig.json',
  '/etc/sysconfig/kubelet',
  '/etc/kubernetes/kubelet/kubelet-config.json',
  '/etc/kubernetes/kubelet/config.json',
  '/etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf',
  '/etc/eks/kubelet/environment',
  '/etc/eksctl/kubelet.yaml',
];
