/** What a right mend makes of each ailment's files, byte for byte: in which file which text becomes which. Data. */
import type { AilmentName } from '../lab/ailments.js';
import { EKS_CONFIG, KUBEADM_CONFIG } from '../lab/layouts.js';

type Replacement = readonly [was: string, becomes: string];
export type Mend = Readonly<Record<string, Replacement>>;

const DROP_INS = '/etc/systemd/system/kubelet.service.d';
const ARGS = `${DROP_INS}/10-kubelet-args.conf`;
const EXTRA_ARGS = `${DROP_INS}/30-kubelet-extra-args.conf`;

const JSON_VALUE: Replacement = ['"streamingConnectionIdleTimeout": "0s"', '"streamingConnectionIdleTimeout": "4h0m0s"'];
const JSON_NEW_MEMBER: Replacement = ['"serializeImagePulls": false\n}', '"serializeImagePulls": false,\n  "streamingConnectionIdleTimeout": "4h0m0s"\n}'];
const YAML_VALUE: Replacement = ['streamingConnectionIdleTimeout: 0s', 'streamingConnectionIdleTimeout: "4h0m0s"'];
const FLAG_OUT: Replacement = [' --streaming-connection-idle-timeout=0', ''];

/** Every ailment that can be mended. */
export const MENDS = {
  'json-zero': { [EKS_CONFIG]: JSON_VALUE },
  'json-bom': { [EKS_CONFIG]: JSON_VALUE },
  'yaml-zero': { [KUBEADM_CONFIG]: YAML_VALUE },
  'yaml-crlf-comments': { [KUBEADM_CONFIG]: YAML_VALUE },
  'config-symlink': { '/opt/kubelet/real.json': JSON_VALUE },
  'flag-dropin': { [EKS_CONFIG]: JSON_NEW_MEMBER, [ARGS]: FLAG_OUT },
  'flag-two-words': { [EKS_CONFIG]: JSON_NEW_MEMBER, [EXTRA_ARGS]: [' --streaming-connection-idle-timeout 0', ''] },
  'flag-underscores': { [EKS_CONFIG]: JSON_NEW_MEMBER, [ARGS]: [' --streaming_connection_idle_timeout=0h0m0s', ''] },
  'flag-environment-file': { '/etc/default/kubeletconfig.json': JSON_NEW_MEMBER, '/etc/default/kubelet': FLAG_OUT },
  'flag-execstart': {
    [EKS_CONFIG]: JSON_NEW_MEMBER,
    '/etc/systemd/system/kubelet.service': ['    --streaming-connection-idle-timeout=0 \\\n', ''],
  },
  'flag-and-file': { [EKS_CONFIG]: JSON_VALUE, [ARGS]: [' --streaming-connection-idle-timeout=4h', ''], [EXTRA_ARGS]: FLAG_OUT },
  notify: { [EKS_CONFIG]: JSON_NEW_MEMBER, [ARGS]: FLAG_OUT },
  'slow-start': { [EKS_CONFIG]: JSON_NEW_MEMBER, [ARGS]: FLAG_OUT },
} as const satisfies Partial<Record<AilmentName, Mend>>;

export type MendName = keyof typeof MENDS;

export const MEND_NAMES = Object.keys(MENDS) as readonly MendName[];

/** Throws when the text to be replaced does not stand there exactly once. */
export function applyReplacement(text: string, [was, becomes]: Replacement): string {
  const parts = text.split(was);
  if (parts.length !== 2) throw new Error(`${JSON.stringify(was)} stands there ${parts.length - 1} times`);
  return parts.join(becomes);
}

/** A command line without the flag and its value, in any of its spellings. */
export function withoutFlag(argv: readonly string[]): string[] {
  const isFlag = (word: string | undefined): boolean => /^--streaming[-_]connection[-_]idle[-_]timeout$/.test(word ?? '');
  return argv.filter((word, index) => !/^--streaming[-_]connection[-_]idle[-_]timeout(=|$)/.test(word) && !isFlag(argv[index - 1]));
}
