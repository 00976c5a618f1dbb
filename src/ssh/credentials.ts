/**
 * What the logins of a whole run share: keys, unlocked once; which key worked, so that it goes first on the next hosts; what became
 * of passwords. Never writes anything down.
 */
import type { Secrets } from '../core/ports.js';
import type { Failure } from '../core/failure.js';
import { FleetmendError } from '../core/failure.js';
import { createPasswordTrials } from '../core/password-trials.js';
import { unlockIdentities } from './identities.js';
import type { Identity } from './identities.js';
import { planIdentities } from './identity-plan.js';
import type { KeySources } from './key-sources.js';
import { noKeyFailure } from './login-failures.js';
import { usePassword } from './password-login.js';
import type { PasswordUse } from './password-login.js';
import { machineOf } from './machine-of.js';
import type { Hop, Route } from './route.js';
import { passwordRequest } from './secrets-needed.js';

/** What one login has to offer, and where it says what came of it. */
export interface HopCredentials {
  /** The one that worked before goes first. */
  readonly identities: readonly Identity[];
  /** Why other keys are not offered. */
  readonly remarks: readonly string[];
  /** Absent: none is configured for this hop. */
  readonly password?: PasswordUse;
  /** It is the only one, or it worked before: asking first would waste a round trip. Never so where a person has to touch a device. */
  signsAtOnce(identity: Identity): boolean;
  keyWorked(identity: Identity): void;
}

export interface Credentials {
  /** For the target. Rejects with FleetmendError (authentication) when there is nothing to offer: no connection is wasted then. */
  forHop(route: Route, signal: AbortSignal): Promise<HopCredentials>;
}

export function createCredentials(sources: KeySources, secrets: Secrets, now: () => Date = () => new Date()): Credentials {
  const keys = createKeyMemory();
  const memory = { trials: createPasswordTrials(), workedAt: new Set<string>() };
  return {
    async forHop(route, signal) {
      const hop = route.target;
      const plan = await planIdentities(hop, sources, now());
      const { identities, remarks } = await unlockIdentities(hop, plan, (request) => secrets.read(request, signal));
      const request = passwordRequest(hop);
      if (request === undefined && identities.length === 0) throw new FleetmendError(nothingToOffer(hop, remarks));
      const password = request && usePassword(route, () => secrets.read(request, signal), memory);
      // With keys it may not be needed: what it costs to get it is saved then.
      const refusal = identities.length === 0 ? await password?.refusal() : undefined;
      if (refusal) throw new FleetmendError(refusal);
      const ordered = keys.bestFirst(route, identities);
      return {
        identities: ordered, remarks,
        ...(password ? { password } : {}),
        signsAtOnce: (identity) => !identity.signer.keyType.startsWith('sk-') && (ordered.length === 1 || keys.hasWorked(route, identity)),
        keyWorked: (identity) => keys.worked(route, identity),
      };
    },
  };
}

function nothingToOffer(hop: Hop, remarks: readonly string[]): Failure {
  const { methods } = hop.login;
  if (methods?.includes('publickey') === false) {
    const allows = methods.length === 0 ? 'ssh_config allows no method that fleetmend has' : 'ssh_config allows only passwords, and none is named';
    return noKeyFailure(hop, allows, 'name one in the inventory (ssh.password), or give --ask-password', remarks);
  }
  const [file, ...more] = hop.login.identityFiles;
  if (file === undefined) {
    return noKeyFailure(hop, 'the agent and the default key files have none', 'name a key file in the inventory (identityFile), or load a key into the agent with ssh-add', remarks);
  }
  const lead = 'not tried: ';
  const remark = remarks.find((text) => text.startsWith(`${lead}${file} `));
  const reason = remark === undefined || more.length > 0 ? 'none of the named key files can be used' : remark.slice(lead.length);
  return noKeyFailure(hop, reason, 'correct the file, or its name (identityFile in the inventory, IdentityFile in ssh_config)', remarks);
}

interface KeyMemory {
  bestFirst(route: Route, identities: readonly Identity[]): readonly Identity[];
  hasWorked(route: Route, identity: Identity): boolean;
  worked(route: Route, identity: Identity): void;
}

/** By host, and by user over all hosts, the latest first. */
function createKeyMemory(): KeyMemory {
  const byHost = new Map<string, string>();
  const byUser = new Map<string, readonly string[]>();
  const hostOf = (route: Route): string => `${route.target.user}\0${machineOf(route)}`;

  const rankOf = (route: Route, { blob }: Identity): number => {
    const key = blob.toString('base64');
    if (byHost.get(hostOf(route)) === key) return -1;
    const rank = byUser.get(route.target.user)?.indexOf(key) ?? -1;
    return rank === -1 ? Number.MAX_SAFE_INTEGER : rank;
  };
  return {
    bestFirst: (route, identities) => [...identities].sort((a, b) => rankOf(route, a) - rankOf(route, b)),
    hasWorked: (route, identity) => rankOf(route, identity) !== Number.MAX_SAFE_INTEGER,
    worked(route, { blob }) {
      const { user } = route.target;
      const key = blob.toString('base64');
      byHost.set(hostOf(route), key);
      byUser.set(user, [key, ...(byUser.get(user) ?? []).filter((other) => other !== key)]);
    },
  };
}
