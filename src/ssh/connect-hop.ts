/**
 * One hop from nothing to a logged-in client: keys, TCP, handshake, login, and the record of a new host key. Never retries: a
 * second connection is made only to ask a server for a host key type that known_hosts has.
 */
import type { Client } from 'ssh2';
import { failureOf, FleetmendError } from '../core/failure.js';
import { untilAborted } from './abort.js';
import { codeOf, hostKeyNotRecordedFailure } from './failures.js';
import type { Gate } from './gate.js';
import { shakeHands } from './handshake.js';
import type { HandshakePlan } from './handshake.js';
import { presentedKey, refusalOf } from './host-key-check.js';
import { findIdentities } from './identities.js';
import type { KeySources } from './identities.js';
import type { HostKeyStore } from './known-hosts-file.js';
import { lookupNameOf } from './known-hosts.js';
import type { Link } from './link.js';
import type { Hop } from './route.js';

/** What the connections of a whole run share. */
export interface HopPorts {
  readonly keySources: KeySources;
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

/** `dialHop` makes the stream to the hop: TCP, or a channel of the hop before. Rejects with FleetmendError; nothing is left open then. */
export async function connectHop(hop: Hop, dialHop: () => Promise<Link>, ports: HopPorts, signal: AbortSignal): Promise<ConnectedHop> {
  const store = ports.storeOf(hop.hostKeys.files);
  const plan = await untilAborted(prepare(hop, store, ports), hop, signal);
  const logIn = async (askFor: HandshakePlan['askFor']): Promise<ConnectedHop> => {
    const link = await dialHop();
    try {
      const login = await ports.gate.run(() => shakeHands(link, { ...plan, askFor }), signal);
      // Happens once: what was asked for is not asked for again.
      if (login.result === 'askForKnownType') return await logIn(login.types);
      if (login.mustLearn) await link.guard(learn(store, plan, login.hostKey));
      return { link, client: login.client, hostKey: login.hostKey };
    } catch (error) {
      throw endWith(link, error);
    }
  };
  return logIn(plan.askFor);
}

/** Before any connection: what we can offer and what we know. */
async function prepare(hop: Hop, store: HostKeyStore, ports: HopPorts): Promise<HandshakePlan> {
  const identities = await findIdentities(hop, ports.keySources);
  const keys = await store.load();
  const name = lookupNameOf(hop.address, hop.port);
  const policy = { mode: hop.hostKeys.mode, learningFile: store.learningFile };
  return { host: hop, name, keys, askFor: keys.known.typesUnhashed(name), policy, identities, timeoutMs: ports.handshakeTimeoutMs };
}

/** Leaves no socket behind; an error that nobody foresaw becomes the failure that `failureOf` makes of it. */
export function endWith(link: Link, error: unknown): FleetmendError {
  const ours = error instanceof FleetmendError ? error : new FleetmendError(link.reason ?? failureOf(error), { cause: error });
  link.end(ours.failure);
  return ours;
}

/** Only now has the server proved the key. A key that cannot be recorded is not trusted. */
async function learn(store: HostKeyStore, { host, name }: HandshakePlan, hostKey: Buffer): Promise<void> {
  const shown = presentedKey(hostKey);
  const notRecorded = (reason: string, cause?: unknown): FleetmendError =>
    new FleetmendError(hostKeyNotRecordedFailure(host, shown, store.learningFile, reason), { cause });
  const verdict = await store.learn(name, hostKey).catch((error: unknown) => {
    throw error instanceof FleetmendError ? error : notRecorded(error instanceof Error ? error.message : codeOf(error), error);
  });
  const refusal = refusalOf(host, shown, verdict);
  if (refusal) throw new FleetmendError(refusal);
  if (verdict.verdict === 'unknown') throw notRecorded('a key of another type was recorded meanwhile');
}
