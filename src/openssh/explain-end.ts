/** Why `ssh` ended before the command ran, as a Failure: by the stage that its log shows. Pure. */
import { cleanText, cutText } from '../core/clean-text.js';
import type { Failure, FailureKind } from '../core/failure.js';
import type { Host } from '../core/host.js';
import type { LogFacts } from './read-log-line.js';
import { hasReached } from './read-log-line.js';
import type { JumpTrouble } from './jump-trouble.js';
import { jumpTrouble } from './jump-trouble.js';

/** What `ssh` left behind. `code` null: it was killed, or never started. */
export interface SshEnd {
  readonly code: number | null;
  readonly facts: LogFacts;
  /** The beginning of its standard error: its own words, and those of a jump host's `ssh`. */
  readonly stderr: string;
}

export function targetOf(host: Host): string {
  const address = cleanText(host.address);
  return host.port === undefined ? address : `${address.includes(':') ? `[${address}]` : address}:${host.port}`;
}

export function explainEnd(host: Host, end: SshEnd): Failure {
  const target = targetOf(host);
  const { facts } = end;
  const failure = (kind: FailureKind, what: string, next: string): Failure => ({ kind, summary: `${target} ${what}`, ...detailOf(end), next });
  if (facts.hostKeys.length > 1) return twoKeysFailure(host);
  switch (facts.trouble) {
    case 'hostKeyUnknown':
      return failure('hostKeyUnknown', `shows a host key that is not known: ${facts.hostKeys[0] ?? ''}`, 'compare it from a network that you trust and add it to known_hosts, or accept new keys with --host-keys accept-new');
    case 'hostKeyChanged':
      return failure('hostKeyChanged', `shows another host key than the recorded one: ${facts.hostKeys[0] ?? ''}`, 'find out why: somebody may be between you and the host, or it was installed again; only when you are sure, replace the line that ssh names');
    case 'hostKeyRevoked':
      return failure('hostKeyRevoked', `shows a revoked host key: ${facts.hostKeys[0] ?? ''}`, 'somebody marked this key as stolen; give the host a new key before you connect');
    case 'loginRefused':
      return authenticationFailure(host, end);
    case 'goodbye':
      if (hasReached(facts, 'login')) return authenticationFailure(host, end);
      break;
    case 'dns':
    case 'refused':
    case undefined:
  }
  if (hasReached(facts, 'loggedIn')) return failure('channelRefused', 'accepted the login but started no shell', 'check MaxSessions and ForceCommand of its sshd and the login shell of this user');
  if (hasReached(facts, 'keyTrusted')) return failure('lostBeforeHandshake', 'closed the connection during the login', 'read the log of its sshd');
  if (hasReached(facts, 'keyShown')) return failure('hostKeyUnknown', `shows a host key that ssh does not accept: ${facts.hostKeys[0] ?? ''}`, 'read what ssh says, and check the lines of known_hosts for this host');
  if (facts.stage === 'agreed') return failure('lostBeforeHandshake', 'closed the connection during the key exchange', 'read the log of its sshd');
  if (facts.stage === 'negotiating') return failure('noCommonAlgorithm', 'and ssh have no algorithm in common', 'enable one of these on the server, or update it; for old servers there is --legacy-algorithms');
  if (facts.stage === 'proxy') return refusedJump(host, end) ?? failure('jumpHost', 'could not be reached: the way through its jump host or ProxyCommand ended before it answered', 'try it with the ssh program itself; the failure may be that of the jump host or of the host behind it');
  if (hasReached(facts, 'connected')) return failure('lostBeforeHandshake', 'closed the connection before the SSH handshake was done', 'check that it is an SSH server; else the likely cause is a limit of its sshd (MaxStartups, or PerSourcePenalties since OpenSSH 9.8): try again after a minute with fewer connections at once');
  if (facts.trouble === 'refused') return failure('refusedConnection', 'refused the connection', 'check that sshd runs there and listens on this port');
  if (facts.stage === 'connecting') return failure('connectTimeout', 'could not be reached', 'check that the host is up, its address and port, and the firewalls between');
  if (facts.trouble === 'dns') return { kind: 'dns', summary: `${target} could not be resolved`, ...detailOf(end), next: 'check the address in the inventory, HostName in ssh_config, and the name server of this machine' };
  return failure('badInput', `was not tried: ssh ended at once (${end.code === null ? 'killed' : `code ${end.code}`})`, 'read what ssh says: most likely an option of ssh_config that it does not know');
}

/** What is not tried again, for a jump host either. */
function refusedJump(host: Host, end: SshEnd): Failure | undefined {
  const found = jumpTrouble(host, end.stderr);
  if (found === undefined) return undefined;
  const [what, next] = JUMP_TROUBLES[found.kind];
  return { kind: found.kind, summary: `${found.jump}: it ${what}`, ...detailOf(end), next };
}

const JUMP_TROUBLES: Readonly<Record<JumpTrouble['kind'], readonly [what: string, next: string]>> = {
  authentication: ['did not let the user in', 'check the key for the jump host, and authorized_keys there; it is not tried again, because sshd counts failures'],
  hostKeyUnknown: ['shows a host key that is not accepted', 'compare it from a network that you trust and add it to known_hosts, or accept new keys with --host-keys accept-new (jump hosts of ssh_config are trusted as that says)'],
  hostKeyChanged: ['shows another host key than the recorded one', 'find out why: somebody may be between you and the jump host, or it was installed again; only when you are sure, replace the line that ssh names'],
  hostKeyRevoked: ['shows a revoked host key', 'somebody marked this key as stolen; give the jump host a new key before you connect'],
};

/** `ssh` was still at it when the time was up. */
export function explainTimeout(host: Host, timeoutMs: number, end: SshEnd): Failure {
  const { facts } = end;
  const limit = `within ${timeoutMs} ms`;
  const [kind, what, next]: [FailureKind, string, string] = hasReached(facts, 'loggedIn')
    ? ['channelRefused', `accepted the login but started no shell ${limit}`, 'check the load of the host and the login shell of this user']
    : hasReached(facts, 'connected')
      ? ['handshakeTimeout', `did not finish the SSH handshake and login ${limit}`, 'check that this port is an SSH server, that it is not overloaded, and that no key waits for a touch']
      : facts.stage === 'proxy'
        ? ['jumpHost', `could not be reached: its jump host or ProxyCommand gave no answer ${limit}`, 'try it with the ssh program itself']
        : ['connectTimeout', `could not be reached ${limit}`, 'check that the host is up, its address and port, and the firewalls between'];
  return { kind, summary: `${targetOf(host)} ${what}`, ...detailOf(end), next };
}

export function twoKeysFailure(host: Host): Failure {
  return { kind: 'protocol', summary: `${targetOf(host)} put lines about a second host key into the log of ssh`, next: 'treat this host as hostile until you know why' };
}

function authenticationFailure(host: Host, end: SshEnd): Failure {
  const offered = end.facts.offered.map((key) => `tried: ${cleanText(key)}`);
  const { detail } = detailOf(end);
  const lines = [...offered, ...(detail === undefined ? [] : [detail])];
  return {
    kind: 'authentication', summary: `${targetOf(host)} did not let ${host.user === undefined ? 'the user' : cleanText(host.user)} in`,
    ...(lines.length > 0 ? { detail: lines.join('\n') } : {}),
    next: 'check that one of these keys is in authorized_keys of this user; ssh asks nobody here (BatchMode), so a locked key belongs into the agent. It is not tried again, because sshd counts failures',
  };
}

/** At most 20 lines of 300 characters. */
function detailOf({ facts, stderr }: SshEnd): { readonly detail?: string } {
  const lines = [...facts.words, ...stderr.split('\n')].map((line) => cutText(cleanText(line).trim(), 300)).filter((line) => line !== '');
  return lines.length === 0 ? {} : { detail: lines.slice(0, 20).map((line) => `ssh: ${line}`).join('\n') };
}
