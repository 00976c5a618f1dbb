/** The real playbook with a shorter watch, so that a test takes seconds. Everything else stays as it is shipped. */
import { readFileSync } from 'node:fs';

const SHIPPED = new URL('../../playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml', import.meta.url);

export interface Watch {
  readonly for: string;
  readonly within: string;
}

export function shortPlaybook(watch: Watch): string {
  const shipped = readFileSync(SHIPPED, 'utf8');
  const short = shipped.replace(/^( +for: )30s$/m, `$1${watch.for}`).replace(/^( +within: )120s$/m, `$1${watch.within}`);
  if (!short.includes(`for: ${watch.for}\n`) || !short.includes(`within: ${watch.within}\n`)) throw new Error('the playbook has no `for: 30s` and `within: 120s` any more');
  return short;
}
