/**
 * One hop from nothing to a logged-in client: keys, TCP, handshake, the record of a new host key, login. Never retries: a
 * further connection is made only to ask a server for a host key type that known_hosts has, and for the keys that were left when it hung up.
 */
import type { Client } from './ssh2.js';
import { failureOf, FleetmendError } from '../core/failure.js';
import { untilAborted } from './abort.js';
import type { Credentials } from './credentials.js';
import { codeOf } from './failures.js';
import type { Gate } from './gate.js';
import { shakeHands } from './handshake.js';
import type { HandshakePlan } from './handshake.js';
import { firstWish, presentedKey, refusalOf } from './host-key-check.js';
import { LockedError } from './file-lock.js';
import { hostKeyNotRecordedFailure } from './host-key-failures.js';
import type { HostKeyStore } from './known-hosts-file.js';
import { lookupNameOf } from './known-hosts.js';
import type { Link } from './link.js';
import { createLogin } from './log-in.js';
import type { Route } from './route.js';

/** What the connections of a whole run share. */
export interface HopPorts {
  readonly credentials: Credentials;
  /** One store for each list of files. */
  storeOf(files: readonly string[]): HostKeyStore;
  /** Handshakes in progress at a time. */
  readonly gate: Gate;
  /** For handshake and login together. */
  readonly handshakeTimeoutMs: number;
}

export interface ConnectedHop {
  readonly link: Link;
  readonly client: Client;
  readonly hostKey: Buffer;
}

/** To the target of a route. `dialHop` makes the stream to it: TCP, or a channel of the hop before. Rejects with FleetmendError; nothing is left open then. */
export async function connectHop(route: Route, dialHop: () => Promise<Link>, ports: HopPorts, signal: AbortSignal): Promise<ConnectedHop> {
  const hop = route.target;
  const plan = await untilAborted(prepare(route, ports, signal), hop, signal);
  const logIn = async (wish: HandshakePlan['wish']): Promise<ConnectedHop> => {
    await untilAborted(plan.login.ready(), hop, signal);
    const link = await dialHop();
    try {
      const login = await ports.gate.run((leave) => shakeHands(link, { ...plan, wish }, leave), signal);
      // Happens once: only for a wish that makes a difference.
      if (login.result === 'askAgain') return await logIn(login.wish);
      // The login itself counts its connections.
      if (login.result === 'goOn') return await logIn(wish);
      return { link, client: login.client, hostKey: login.hostKey };
    } catch (error) {
      throw endWith(link, error);
    }
  };
  try {
    return await logIn(plan.wish);
  } finally {
    plan.login.close();
  }
}

/** Before any connection: what we can offer and what we know. */
async function prepare(route: Route, ports: HopPorts, signal: AbortSignal): Promise<HandshakePlan> {
  const hop = route.target;
  const store = ports.storeOf(hop.hostKeys.files);
  const login = createLogin(hop, await ports.credentials.forHop(route, signal));
  const keys = await store.load();
  const name = lookupNameOf(hop.address, hop.port, hop.hostKeys.alias);
  const policy = { mode: hop.hostKeys.mode, learningFile: store.learningFile };
  const known = { host: hop, name, keys, wish: firstWish(keys, name), policy };
  return { ...known, login, learn: (hostKey) => learn(store, known, hostKey, signal), timeoutMs: ports.handshakeTimeoutMs };
}

/** Leaves no socket behind; an error that nobody foresaw becomes the failure that `failureOf` makes of it. */
export function endWith(link: Link, error: unknown): FleetmendError {
  const ours = error instanceof FleetmendError ? error : new FleetmendError(link.reason ?? failureOf(error), { cause: error });
  link.end(ours.failure);
  return ours;
}

/** A key that cannot be recorded is not trusted. */
async function learn(store: HostKeyStore, { host, name }: Pick<HandshakePlan, 'host' | 'name'>, hostKey: Buffer, signal: AbortSignal): Promise<void> {
  const shown = presentedKey(hostKey);
  const notRecorded = (reason: string, cause?: unknown): FleetmendError => {
    const lock = cause instanceof LockedError ? { file: cause.lockFile, holder: cause.holder } : undefined;
    return new FleetmendError(hostKeyNotRecordedFailure(host, shown, store.learningFile, reason, lock), { cause });
  };
  const verdict = await store.learn(name, hostKey, host.hostKeys.hashNames, signal).catch((error: unknown) => {
    throw error instanceof FleetmendError ? error : notRecorded(error instanceof Error ? error.message : codeOf(error), error);
  });
  const refusal = refusalOf(host, shown, verdict);
  if (refusal) throw new FleetmendError(refusal);
  if (verdict.verdict === 'unknown') throw notRecorded('a key of another type was recorded meanwhile');
}
