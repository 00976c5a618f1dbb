/**
 * The Transport over ssh2: one TCP connection, one login, one command each time. Never retries: a second connection is made
 * only to ask a server for a host key type that known_hosts has.
 */
import { setMaxListeners } from 'node:events';
import { failureOf, FleetmendError } from '../core/failure.js';
import type { Host } from '../core/host.js';
import type { ShellStream, Transport } from '../core/ports.js';
import { untilAborted } from './abort.js';
import { createAgentKeyLister } from './agent-keys.js';
import { dial } from './dial.js';
import { codeOf, hostKeyNotRecordedFailure } from './failures.js';
import { fingerprintOf } from './fingerprint.js';
import { createGate } from './gate.js';
import { shakeHands } from './handshake.js';
import type { HandshakePlan, HandshakeResult } from './handshake.js';
import { presentedKey, refusalOf } from './host-key-check.js';
import { findIdentities } from './identities.js';
import { createKeyFileReader } from './key-files.js';
import { createHostKeyStore } from './known-hosts-file.js';
import type { HostKeyStore } from './known-hosts-file.js';
import { lookupNameOf } from './known-hosts.js';
import type { Link } from './link.js';
import { createCachedResolver } from './resolve-address.js';
import type { ResolveAddress } from './resolve-address.js';
import { openShell } from './shell-stream.js';

export interface SshOptions {
  /** `acceptNew` records the key of a host that is not known yet; a changed or revoked key fails in both modes. */
  readonly hostKeys: 'strict' | 'acceptNew';
  /** Absolute paths, at least one; the first one learns. */
  readonly knownHostsFiles: readonly string[];
  /** Usually $SSH_AUTH_SOCK. */
  readonly agentSocket?: string;
  /** Absolute paths, for hosts that name no key; those that do not exist are passed over. */
  readonly defaultIdentityFiles: readonly string[];
  /** For handshake and login together, and again for starting the command. Default 30 000. */
  readonly handshakeTimeoutMs?: number;
  /** Without a byte of the command's input or output; keepalives do not count. Default 300 000. */
  readonly idleTimeoutMs?: number;
  /** A silent network is noticed after intervalMs x (countMax + 1). Default 10 000 and 3. */
  readonly keepAlive?: { readonly intervalMs: number; readonly countMax: number };
  /** Handshakes in progress at a time. Default 32 (ssh.md 3.5). */
  readonly maxHandshakes?: number;
  /** After the command's exit, for a child that keeps its output open. Default 3 000. */
  readonly exitGraceMs?: number;
  /** For the peer to close, and for the reader to take the rest. Default 1 000. */
  readonly closeGraceMs?: number;
  /** Default: dns.lookup, remembered for a minute. */
  readonly resolve?: ResolveAddress;
}

/**
 * The system's lookups share four threads with all files (ssh.md 2.4): one stays free for the journal, and names that wait here
 * use up no time limit and are dropped by an abort.
 */
const LOOKUPS_AT_ONCE = 3;

export function createSshTransport(options: SshOptions): Transport {
  const handshakeTimeoutMs = options.handshakeTimeoutMs ?? 30_000;
  const keepAlive = options.keepAlive ?? { intervalMs: 10_000, countMax: 3 };
  const times = {
    openMs: handshakeTimeoutMs, idleMs: options.idleTimeoutMs ?? 300_000,
    exitGraceMs: options.exitGraceMs ?? 3_000, closeGraceMs: options.closeGraceMs ?? 1_000,
  };
  const store = createHostKeyStore(options.knownHostsFiles);
  const policy = { mode: options.hostKeys, learningFile: store.learningFile };
  const gate = createGate(options.maxHandshakes ?? 32);
  const resolve = createCachedResolver(options.resolve);
  const lookups = createGate(LOOKUPS_AT_ONCE);
  const keySources = {
    readKeyFile: createKeyFileReader(),
    defaultIdentityFiles: options.defaultIdentityFiles,
    ...(options.agentSocket ? { listAgentKeys: createAgentKeyLister(options.agentSocket) } : {}),
  };

  /** Before any connection: what we can offer and what we know. */
  const prepare = async (host: Host): Promise<HandshakePlan> => {
    const identities = await findIdentities(host, keySources);
    const keys = await store.load();
    const name = lookupNameOf(host.address, host.port);
    return { host, name, keys, askFor: keys.known.typesUnhashed(name), policy, identities, timeoutMs: handshakeTimeoutMs, keepAlive };
  };

  const logIn = async (plan: HandshakePlan, signal: AbortSignal): Promise<LoggedIn> => {
    const link = await dial(plan.host, resolve, lookups, signal);
    try {
      const login = await gate.run(() => shakeHands(link, plan), signal);
      if (login.result === 'loggedIn') return { link, ...login };
      // Happens once: what was asked for is not asked for again.
      return await logIn({ ...plan, askFor: login.types }, signal);
    } catch (error) {
      throw endWith(link, error);
    }
  };

  return {
    async open(host, command, signal): Promise<ShellStream> {
      // One signal may serve a whole fleet; each connection takes its listener away again.
      setMaxListeners(0, signal);
      const plan = await untilAborted(prepare(host), host, signal);
      const { link, client, hostKey, mustLearn } = await logIn(plan, signal);
      try {
        if (mustLearn) await link.guard(learn(store, plan, hostKey));
        return await openShell(link, client, host, command, fingerprintOf(hostKey), times);
      } catch (error) {
        throw endWith(link, error);
      }
    },
  };
}

type LoggedIn = { readonly link: Link } & Extract<HandshakeResult, { result: 'loggedIn' }>;

/** Leaves no socket behind; an error that nobody foresaw becomes the failure that `failureOf` makes of it. */
function endWith(link: Link, error: unknown): FleetmendError {
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
