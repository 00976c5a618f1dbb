/** The password with which a login becomes root: what is asked for, and what can be typed. When it may be sent: core/password-trials.ts. Never in a text. */
import { FleetmendError } from '../core/failure.js';
import type { Host } from '../core/host.js';
import type { SecretRequest } from '../core/secret.js';

/** `undefined`: no password is ever sent to this host. */
export function becomeRequest(host: Host): SecretRequest | undefined {
  const source = host.becoming?.password;
  if (source === undefined || host.become === 'none' || host.becoming?.scope === 'commands') return undefined;
  const label = host.become === 'su' ? 'root password' : `${host.become} password${host.user === undefined ? '' : ` of ${host.user}`}`;
  return { source, label, host: { name: host.name, address: host.address, user: host.user ?? '' } };
}

const LONGEST_BYTES = 255;

/** What sudo, su and doas read as one line, whole: what is left of a longer one would be run by the root shell. Throws badInput. */
export function checkPassword(password: string, label: string): string {
  const wrong = password === '' ? 'it is empty' : /[\0-\x1f\x7f]/.test(password) ? 'it holds a control character' : Buffer.byteLength(password) > LONGEST_BYTES ? `it has more than ${LONGEST_BYTES} bytes` : undefined;
  if (wrong === undefined) return password;
  throw new FleetmendError({ kind: 'badInput', summary: `the ${label} cannot be typed: ${wrong}` });
}
