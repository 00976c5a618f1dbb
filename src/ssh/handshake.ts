/**
 * From a TCP connection to a logged-in ssh2 client: algorithms, host key, keys. Every listener stays for the whole life of
 * the client, because ssh2 may emit several errors (ssh.md 2.4). Never opens a channel, never records a host key.
 */
import ssh2 from 'ssh2';
import type { Client } from 'ssh2';
import { FleetmendError } from '../core/failure.js';
import type { Failure } from '../core/failure.js';
import type { Hop } from './route.js';
import { algorithmsFor, CHACHA20 } from './algorithms.js';
import {
  authenticationFailure, CATEGORY_WORDS, connectionLostFailure, handshakeTimeoutFailure, lostBeforeHandshakeFailure,
  lostInLoginFailure, noCommonAlgorithmFailure, protocolFailure,
} from './failures.js';
import { decideHostKey, swappedKeyFailure } from './host-key-check.js';
import type { HostKeyPolicy } from './host-key-check.js';
import type { Identities } from './identities.js';
import type { HostKeys } from './known-hosts-file.js';
import type { LookupName } from './known-hosts.js';
import type { Link } from './link.js';
import { createLogin } from './log-in.js';
import { missingCategory, readServerOpening } from './server-offer.js';
import type { ServerOpening } from './server-offer.js';
import { ignoreHostKeyAnnouncements, troubleOf } from './ssh2-internals.js';

export interface HandshakePlan {
  readonly host: Hop;
  readonly name: LookupName;
  readonly keys: HostKeys;
  /** Host key types to ask for first. */
  readonly askFor: ReadonlySet<string>;
  readonly policy: HostKeyPolicy;
  readonly identities: Identities;
  readonly timeoutMs: number;
}

export type HandshakeResult =
  | { readonly result: 'loggedIn'; readonly client: Client; readonly hostKey: Buffer; readonly mustLearn: boolean }
  /** The connection is over; another one that asks for these key types is worth its cost. */
  | { readonly result: 'askForKnownType'; readonly types: ReadonlySet<string> };

/** Rejects with FleetmendError of an unreachable kind; the link has ended then. */
export async function shakeHands(link: Link, plan: HandshakePlan): Promise<HandshakeResult> {
  const { host } = plan;
  const client = new ssh2.Client();
  const opening = collectOpening(link);
  const attemptRemarks: string[] = [];
  const login = createLogin(host.user, plan.identities.identities, (reason) =>
    link.end(authenticationFailure(host, reason, login.tried, [...plan.identities.remarks, ...attemptRemarks])),
  );
  const hostKey = createHostVerifier(link, plan);

  const enter = (next: Stage): void => {
    stage = next;
    link.explainLoss = next.lost;
  };
  let stage = handshakeStage(host, () => opening.read().greeting);
  enter(stage);
  client.on('error', (error) => {
    switch (troubleOf(error)) {
      case 'attempt':
        attemptRemarks.push(`failed here: ${error.message}`);
        return;
      case 'socket':
        return; // the link has seen it
      case 'handshake':
        return link.end(explainHandshake(host, error, opening.read()));
      case 'disconnect':
        return link.end(stage.saidGoodbye(error.message));
      case 'keepAlive':
        return link.end(stage.lost('no answer to keepalive messages'));
      case 'protocol':
        return link.end(stage.broken(error.message));
    }
  });
  client.on('handshake', (negotiated) => {
    const usesChaCha = [negotiated.cs.cipher, negotiated.sc.cipher].includes(CHACHA20);
    if (usesChaCha && !strictKex(opening.read())) link.end(weakCipherFailure(host));
    // ssh2 emits this again at every rekey.
    if (stage.name === 'handshake') enter(loginStage(host, (reason) => authenticationFailure(host, reason, login.tried, plan.identities.remarks)));
  });
  const ready = new Promise<void>((resolve) => {
    client.once('ready', () => {
      opening.stop();
      enter(shellStage(host));
      resolve();
    });
  });
  const timer = setTimeout(() => link.end(handshakeTimeoutFailure(host, plan.timeoutMs, opening.read().greeting)), plan.timeoutMs);
  try {
    connectClient(client, link, plan, login.authHandler, hostKey.verify);
    await link.guard(ready);
    return { result: 'loggedIn', client, hostKey: hostKey.accepted(), mustLearn: hostKey.mustLearn() };
  } catch (error) {
    const types = hostKey.typesToAskFor();
    if (types) return { result: 'askForKnownType', types };
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

type ClientConfig = Parameters<Client['connect']>[0];

function connectClient(
  client: Client, link: Link, plan: HandshakePlan, authHandler: ClientConfig['authHandler'], verify: (key: Buffer) => boolean,
): void {
  try {
    client.connect({
      sock: link.socket,
      username: plan.host.user,
      algorithms: algorithmsFor(plan.host.algorithms, plan.askFor),
      hostVerifier: verify,
      ...(authHandler ? { authHandler } : {}),
      readyTimeout: 0, // our own limit also covers the time in which ssh2 would emit two errors
      keepaliveInterval: plan.host.keepAlive.intervalMs,
      keepaliveCountMax: plan.host.keepAlive.countMax,
    });
    ignoreHostKeyAnnouncements(client);
  } catch (error) {
    link.end(protocolFailure(plan.host, error instanceof Error ? error.message : 'ssh2 refused to start'));
  }
}

interface HostVerifier {
  verify(key: Buffer): boolean;
  accepted(): Buffer;
  mustLearn(): boolean;
  typesToAskFor(): ReadonlySet<string> | undefined;
}

function createHostVerifier(link: Link, plan: HandshakePlan): HostVerifier {
  let accepted: Buffer | undefined;
  let mustLearn = false;
  let typesToAskFor: ReadonlySet<string> | undefined;
  const refuse = (failure: Failure): false => {
    link.end(failure);
    return false;
  };
  return {
    verify(key) {
      if (accepted) return accepted.equals(key) || refuse(swappedKeyFailure(plan.host));
      const decided = decideHostKey(plan.host, plan.name, key, plan.keys, plan.askFor, plan.policy);
      if (decided.decision === 'refuse') return refuse(decided.failure);
      if (decided.decision === 'askForKnownType') {
        typesToAskFor = decided.types;
        return refuse(decided.failure);
      }
      accepted = Buffer.from(key);
      mustLearn = decided.decision === 'acceptAndLearn';
      return true;
    },
    accepted() {
      if (accepted === undefined) throw new FleetmendError(protocolFailure(plan.host, 'it let us in without showing a host key'));
      return accepted;
    },
    mustLearn: () => mustLearn,
    typesToAskFor: () => typesToAskFor,
  };
}

/** What the end of the connection means, by how far it had come. */
interface Stage {
  readonly name: 'handshake' | 'login' | 'shell';
  lost(reason: string): Failure;
  saidGoodbye(reason: string): Failure;
  broken(reason: string): Failure;
}

function handshakeStage(host: Hop, greeting: () => string): Stage {
  const lost = (reason: string): Failure => lostBeforeHandshakeFailure(host, reason, greeting());
  return { name: 'handshake', lost, saidGoodbye: lost, broken: (reason) => protocolFailure(host, reason) };
}

function loginStage(host: Hop, saidGoodbye: (reason: string) => Failure): Stage {
  return { name: 'login', lost: (reason) => lostInLoginFailure(host, reason), saidGoodbye, broken: (reason) => protocolFailure(host, reason) };
}

function shellStage(host: Hop): Stage {
  const lost = (reason: string): Failure => connectionLostFailure(host, reason);
  return { name: 'shell', lost, saidGoodbye: lost, broken: lost };
}

const OPENING_BYTES = 64 * 1024;

interface OpeningReader {
  read(): ServerOpening;
  stop(): void;
}

/** Keeps the first bytes of the server, until the login is done; whether key exchange is strict stays known. */
function collectOpening(link: Link): OpeningReader {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let final: ServerOpening | undefined;
  const read = (): ServerOpening => final ?? readServerOpening(Buffer.concat(chunks).subarray(0, OPENING_BYTES));
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > OPENING_BYTES) stop();
  };
  const stop = (): void => {
    link.socket.off('data', onData);
    final ??= read();
    chunks = [];
  };
  link.socket.pause(); // a listener would start the flow before ssh2 listens
  link.socket.on('data', onData);
  return { read, stop };
}

function strictKex(opening: ServerOpening): boolean {
  return opening.offer?.strictKex === true;
}

function weakCipherFailure(host: Hop): Failure {
  return noCommonAlgorithmFailure(host, 'safe cipher', [`${CHACHA20} without strict key exchange (CVE-2023-48795)`], host.algorithms.ciphers);
}

function explainHandshake(host: Hop, error: Error, opening: ServerOpening): Failure {
  const category = opening.offer && missingCategory(host.algorithms, opening.offer);
  if (opening.offer === undefined || category === undefined) return protocolFailure(host, error.message);
  return noCommonAlgorithmFailure(host, CATEGORY_WORDS[category], opening.offer[category], host.algorithms[category]);
}
