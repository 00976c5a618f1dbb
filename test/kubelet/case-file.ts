/** The bytes of a case in config-file.cases.yaml and config-edit.cases.yaml. */

export type Head = 'json' | 'cr';

export interface FileCase {
  readonly name: string;
  readonly text?: string;
  readonly hex?: string;
  readonly head?: Head;
  readonly loads?: string;
  readonly format?: 'json' | 'yaml';
  readonly warns?: string;
  readonly fatal?: string;
}

const MEMBERS = [['apiVersion', 'kubelet.config.k8s.io/v1beta1'], ['kind', 'KubeletConfiguration']] as const;

export function fileBytes(row: FileCase): Uint8Array {
  if (row.hex === undefined) return Buffer.from(withHead(row.text ?? '', row.head));
  return Buffer.from(withHead(Buffer.from(row.hex.replaceAll(' ', ''), 'hex').toString('latin1'), row.head), 'latin1');
}

/** `HEAD` becomes the two members that every file needs, in the syntax around it. */
export function withHead(text: string, head?: Head): string {
  const json = head === 'json' || /^\s*\{/.test(text);
  const lines = MEMBERS.map(([key, value]) => (json ? `"${key}":"${value}"` : `${key}: ${value}`));
  return text.replaceAll('HEADCRLF', lines.join('\r\n')).replaceAll('HEAD', lines.join(json ? ',' : head === 'cr' ? '\r' : '\n'));
}
