/**
 * Looks for a kubelet when its unit is not there: one under another unit, one inside another program, one in a
 * container. Goes by executables, never by the text of a command line (kubelet.md 9, rows 70 to 76).
 */
import type { ProcessFacts, Query, Questions } from '../core/query.js';
import { ask } from '../core/query.js';
import type { KubeletSurvey } from './survey-types.js';

type NotHere = Extract<KubeletSurvey, { state: 'notApplicable' | 'unknown' }>;

const RKE2 = 'RKE2 starts the kubelet by its own settings; set kubelet-arg in /etc/rancher/rke2/config.yaml';

/** Programs that carry a kubelet inside, or start it by their own settings. */
export const EMBEDDING: ReadonlyMap<string, string> = new Map([
  ['k3s', 'k3s runs the kubelet inside itself; set kubelet-arg in /etc/rancher/k3s/config.yaml, or a file in its kubelet.conf.d'],
  ['rke2', RKE2],
  ['kubelite', 'MicroK8s runs the kubelet inside kubelite; its flags are in /var/snap/microk8s/current/args/kubelet'],
]);
const OWN_PROCESS = ['kubelet', 'hyperkube'];
const PROCESSES_LOOKED_AT = 20;

export function* findElsewhere(unit: string, because: string): Questions<NotHere> {
  const names = [...OWN_PROCESS, ...EMBEDDING.keys()];
  const answers = yield names.map((exe): Query => ({ ask: 'processes', exe }));
  const found = new Map<string, readonly number[]>();
  let hidden = 0;
  for (const [index, exe] of names.entries()) {
    const answer = answers[index];
    if (answer?.ask !== 'processes') continue;
    if (!answer.ok) return { state: 'unknown', unit, reason: `${because}, and the processes could not be listed: ${answer.detail}` };
    found.set(exe, answer.value.pids);
    hidden = Math.max(hidden, answer.value.unreadable);
  }
  const own = yield* lookAt(OWN_PROCESS.flatMap((exe) => found.get(exe) ?? []));
  const onHost = own.find((process) => process.hostNamespaces);
  if (onHost !== undefined) return underOtherUnit(unit, because, onHost);
  for (const [exe, text] of EMBEDDING) {
    if ((found.get(exe) ?? []).length > 0) return { state: 'notApplicable', unit, reason: `${because}; ${text}` };
  }
  const [contained] = own;
  if (contained !== undefined) {
    return { state: 'notApplicable', unit, reason: `${because}; the kubelet (process ${contained.pid}) runs in a container: change the container's definition` };
  }
  const blind = hidden > 0 ? `, but ${hidden} processes could not be looked at` : '';
  return { state: 'unknown', unit, reason: `${because}, and no kubelet was found among the processes${blind}` };
}

function underOtherUnit(unit: string, because: string, process: ProcessFacts): NotHere {
  const otherUnit = unitOf(process.cgroup);
  if (otherUnit === undefined) {
    return { state: 'unknown', unit, reason: `${because}; a kubelet runs as process ${process.pid}, outside of any service (cgroup ${process.cgroup})` };
  }
  if (otherUnit.startsWith('rke2-')) return { state: 'notApplicable', unit, reason: `${because}; ${RKE2}` };
  if (otherUnit === unit) return { state: 'unknown', unit, reason: `${because}; it has started the kubelet as process ${process.pid} and stays in front of it` };
  return { state: 'unknown', unit, reason: `${because}; the kubelet (process ${process.pid}) runs under ${otherUnit}: name that unit`, otherUnit };
}

function* lookAt(pids: readonly number[]): Questions<ProcessFacts[]> {
  if (pids.length === 0) return [];
  const answers = yield* ask(...pids.slice(0, PROCESSES_LOOKED_AT).map((pid) => ({ ask: 'process', pid }) as const));
  return answers.flatMap((answer) => (answer.ok && answer.value.process !== undefined ? [answer.value.process] : []));
}

/** The innermost service of `0::/system.slice/x.service/...` or of cgroup v1 lines. */
function unitOf(cgroup: string): string | undefined {
  return cgroup.split(/[/\n]/).findLast((part) => part.endsWith('.service'));
}
