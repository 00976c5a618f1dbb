/** The real playbook with shorter waits, so that a test takes seconds. Everything else stays as it is shipped. */
import { readFileSync } from 'node:fs';

const SHIPPED = new URL('../../playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml', import.meta.url);

export interface Waits {
  readonly for: string;
  readonly within: string;
  /** Of a daemon-reload and of a restart; they count for the guard's deadline. */
  readonly activation?: string;
  /** Of the guard, on top of what the steps may take. */
  readonly margin?: string;
  /** How the change spreads: what stands under `rollout:`, on one line. Absent: all hosts in one wave, whatever fails. */
  readonly rollout?: string;
}

const AT_ONCE = '{ waves: [100%], canary: none, budget: none }';

export function shortPlaybook(waits: Waits): string {
  const shipped = readFileSync(SHIPPED, 'utf8');
  const replacements: (readonly [RegExp, string | undefined])[] = [
    [/^( +for: )30s$/m, waits.for], [/^( +within: )120s$/m, waits.within], [/^( +timeout: )60s$/m, waits.activation], [/^( +timeout: )120s$/m, waits.activation],
  ];
  const withWaits = replacements.reduce((text, [was, becomes]) => (becomes === undefined ? text : replaceOnce(text, was, becomes)), shipped);
  const short = replaceOnce(withWaits, /^(rollout:)\n(?: .*\n)+/m, ` ${waits.rollout ?? AT_ONCE}\n`);
  return waits.margin === undefined ? short : `${short.trimEnd()}\n\nguard:\n  margin: ${waits.margin}\n`;
}

function replaceOnce(text: string, was: RegExp, becomes: string): string {
  if (!was.test(text)) throw new Error(`the playbook has no line ${String(was)} any more`);
  return text.replace(was, `$1${becomes}`);
}
