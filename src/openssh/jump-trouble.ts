/**
 * What the `ssh` of a jump host said when it gave up: its standard error is all there is. Read so that a refused login is not
 * repeated and a host key that is not right is not taken for a bad line; a jump host that puts such words there speaks of itself alone. Pure.
 */
import { cleanText } from '../core/clean-text.js';
import type { Host } from '../core/host.js';
import type { NamedJump } from './jump-command.js';
import { jumpsOf } from './jump-command.js';
import type { SshTrouble } from './read-log-line.js';
import { EMPTY_LOG, readLogLine } from './read-log-line.js';

export interface JumpTrouble {
  readonly kind: 'authentication' | 'hostKeyUnknown' | 'hostKeyChanged' | 'hostKeyRevoked';
  /** Which jump host, in words. */
  readonly jump: string;
}

const KINDS: Readonly<Partial<Record<SshTrouble, JumpTrouble['kind']>>> = {
  loginRefused: 'authentication', hostKeyUnknown: 'hostKeyUnknown', hostKeyChanged: 'hostKeyChanged', hostKeyRevoked: 'hostKeyRevoked',
};

/** `said`: the beginning of its standard error, before the connection to the target stood. */
export function jumpTrouble(host: Host, said: string): JumpTrouble | undefined {
  const lines = said.split(/\r?\n/);
  const { trouble } = lines.reduce(readLogLine, EMPTY_LOG);
  // Refused for a reason of its own, such as a certificate that has expired.
  const kind = (trouble && KINDS[trouble]) ?? (lines.includes('Host key verification failed.') ? 'hostKeyUnknown' : undefined);
  return kind === undefined ? undefined : { kind, jump: blame(jumpsOf(host), said) };
}

/** The one that is spoken of, as far as that can be told. */
function blame(jumps: readonly NamedJump[], said: string): string {
  if (jumps.length === 0) return 'a jump host of ssh_config';
  const ends = jumps.filter(({ address, port }) => said.includes(`[${address}]:${port ?? 22}`));
  const named = ends.length > 0 ? ends : jumps.filter(({ address }) => said.includes(address));
  const suspects = named.length > 0 ? named : jumps;
  const names = suspects.map(({ name }) => cleanText(name)).join(', ');
  return suspects.length === 1 ? `jump host ${names}` : `one of the jump hosts ${names}`;
}
