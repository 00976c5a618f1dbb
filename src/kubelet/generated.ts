/**
 * Files that something else writes: an edit there is lost, or is forbidden. A table of platforms (kubelet.md 6) and the
 * words at the head of a file. Only says so; who plans decides.
 */
import { toByteText, readableText } from '../core/bytes.js';
import { baseName } from '../core/paths.js';
import type { FileReading } from '../core/query.js';
import type { KubeletSurvey } from './survey-types.js';

export interface Generated {
  /** Who writes it. */
  readonly generator: string;
  /** Where a change lasts, in words. */
  readonly persistentPlace: string;
  /** `refuse`: an edit is undone soon, or must not be made. `note`: it lasts until the node is provisioned anew. */
  readonly severity: 'refuse' | 'note';
}

interface Rule extends Generated {
  readonly path: RegExp;
  readonly only?: (survey: KubeletSurvey) => boolean;
}

const NODEADM = {
  generator: 'nodeadm, at every boot',
  persistentPlace: 'the NodeConfig in the user data or in /etc/eks/nodeadm.d/',
  severity: 'refuse',
} as const;
const AKS = { generator: 'the AKS provisioning', persistentPlace: 'the node pool (customKubeletConfig), which has no such setting', severity: 'note' } as const;
const GKE = { generator: 'the GKE node start-up, at every boot', persistentPlace: 'the node system configuration of the node pool', severity: 'refuse' } as const;
const RANCHER = { generator: 'k3s or RKE2, at every start', persistentPlace: 'kubelet-arg in its config.yaml, or a 50-*.conf of your own beside it', severity: 'refuse' } as const;

const RULES: readonly Rule[] = [
  { path: /^(?:\/var)?\/run\//, generator: 'a program, at run time (/run is empty after a boot)', persistentPlace: 'the configuration of that program', severity: 'refuse' },
  { path: /^(?:\/usr)?\/lib\/systemd\//, generator: 'a package', persistentPlace: 'a drop-in under /etc/systemd/system', severity: 'refuse' },
  { path: /^\/(?:usr\/(?!local\/)|lib\/|lib64\/)/, generator: 'a package', persistentPlace: 'a file under /etc', severity: 'refuse' },
  { path: /\/service\.d\/[^/]+$/, generator: 'whoever set this for every service of the node', persistentPlace: 'a drop-in of the kubelet alone', severity: 'refuse' },
  { path: /^\/etc\/eks\/kubelet\/environment$/, ...NODEADM },
  { path: /^\/etc\/kubernetes\/kubelet\/config\.json\.d\/(?:00|40)-nodeadm\.conf$/, ...NODEADM },
  { path: /^\/etc\/kubernetes\/kubelet\/config\.json$/, only: (survey) => hasEnvironmentFile(survey, '/etc/eks/kubelet/environment', /./), ...NODEADM },
  { path: /^\/var\/lib\/rancher\/[^/]+\/agent\/etc\/kubelet\.conf\.d\/(?:00-[^/]*-?defaults\.conf|10-cli-config\.conf|20-cli-config-dir\/.*)$/, ...RANCHER },
  { path: /^\/etc\/kubernetes\/kubelet\/config$/, generator: 'Bottlerocket, from its settings', persistentPlace: 'the settings API, which does not offer this setting', severity: 'refuse' },
  { path: /^\/etc\/kubernetes\/kubelet\.conf$/, only: (survey) => isConfig(survey, '/etc/kubernetes/kubelet.conf'), generator: 'the OpenShift machine config operator', persistentPlace: 'a KubeletConfig resource', severity: 'refuse' },
  { path: /^\/home\/kubernetes\/kubelet-config\.yaml$/, ...GKE },
  { path: /^\/etc\/default\/kubelet$/, only: (survey) => hasEnvironmentFile(survey, '/etc/default/kubelet', /^KUBELET_OPTS=/m), ...GKE },
  { path: /^\/etc\/default\/(?:kubelet|kubeletconfig\.json)$/, only: (survey) => hasEnvironmentFile(survey, '/etc/default/kubelet', /^KUBELET_FLAGS=/m), ...AKS },
  { path: /^\/var\/lib\/kubelet\/(?:config\.yaml|kubeadm-flags\.env)$/, generator: 'kubeadm, at join and upgrade', persistentPlace: 'the ConfigMap kubelet-config in kube-system as well', severity: 'note' },
];

/** `path` as asked or as real path. `undefined`: nothing is known against editing it. */
export function generatedBy(path: string, survey: KubeletSurvey): Generated | undefined {
  const rule = RULES.find((candidate) => candidate.path.test(path) && (candidate.only?.(survey) ?? true));
  if (rule?.severity === 'refuse') return publicPart(rule);
  return byItsOwnWords(path, survey) ?? (rule === undefined ? undefined : publicPart(rule));
}

function publicPart({ generator, persistentPlace, severity }: Rule): Generated {
  return { generator, persistentPlace, severity };
}

const HEAD_LINES = 8;
const FORBIDS = /\bdo\s+not\s+(?:edit|modify|change)\b|\bdon'?t\s+edit\b/i;
const SAYS_GENERATED = /\b(?:auto-?generated|generated\s+(?:by|from)|this\s+file\s+is\s+generated)\b/i;
const SAYS_MANAGED = /\bmanaged\s+by\s+(\S+)|\b(ansible)\s+managed\b/i;

/** Only comment lines at the head count: a value may say anything. */
function byItsOwnWords(path: string, survey: KubeletSurvey): Generated | undefined {
  const file = fileAt(path, survey);
  if (file?.ok !== true || !file.value.exists) return undefined;
  const head = readableText(toByteText(file.value.bytes)).split(/\r?\n/).slice(0, HEAD_LINES);
  const comments = head.map((line) => line.trim()).filter((line) => /^(?:#|;|\/\/)/.test(line));
  const words = comments.find((line) => FORBIDS.test(line) || SAYS_GENERATED.test(line));
  const persistentPlace = 'where that program takes it from';
  if (words !== undefined) return { generator: `a program, as ${baseName(path)} says itself ("${words.slice(0, 100)}")`, persistentPlace, severity: 'refuse' };
  const managed = comments.map((line) => SAYS_MANAGED.exec(line)).find((match) => match !== null);
  return managed === undefined ? undefined : { generator: managed[1] ?? managed[2] ?? 'a program', persistentPlace, severity: 'note' };
}

function fileAt(path: string, survey: KubeletSurvey): FileReading | undefined {
  if (survey.state !== 'running' && survey.state !== 'notRunning') return undefined;
  const sets = [...(survey.state === 'running' ? [survey.files] : []), ...(survey.next.predicted ? [survey.next.files] : [])];
  const configs = sets.flatMap(({ config, directory }) => [...(config === undefined ? [] : [config]), ...(directory?.dropIns ?? [])]);
  const found = configs.find((config) => config.path === path || config.realPath === path)?.file ?? survey.unitFiles.get(path);
  return found ?? [...survey.unitFiles.values()].find((file) => file.ok && file.value.exists && file.value.realPath === path);
}

function isConfig(survey: KubeletSurvey, path: string): boolean {
  return survey.state === 'running' && survey.files.config?.path === path;
}

function hasEnvironmentFile(survey: KubeletSurvey, path: string, content: RegExp): boolean {
  if (survey.state !== 'running' && survey.state !== 'notRunning') return false;
  const sources = survey.next.sources;
  return content.test(sources?.environmentFiles.get(path) ?? '');
}
