/**
 * From a TCP connection to a logged-in ssh2 client: algorithms, host key, keys. Every listener stays for the whole life of
 * the client, because ssh2 may emit several errors (ssh.md 2.4). Never opens a channel, never logs in with a host key that is not recorded.
 */
import ssh2 from './ssh2.js';
import type { Client } from './ssh2.js';
import { failureOf, FleetmendError } from '../core/failure.js';
import type { Failure } from '../core/failure.js';
import type { Hop } from './route.js';
import { algorithmsFor, CHACHA20, hostKeysFor, LEGACY_OFFER } from './algorithms.js';
import type { KeyWish } from './algorithms.js';
import {
  CATEGORY_WORDS, connectionLostFailure, handshakeTimeoutFailure, loginTimeoutFailure, lostBeforeHandshakeFailure,
  lostInLoginFailure, noCommonAlgorithmFailure, protocolFailure,
} from './failures.js';
import { decideHostKey, swappedKeyFailure } from './host-key-check.js';
import type { HostKeyQuestion } from './host-key-check.js';
import { watchFlood } from './flood.js';
import type { Link } from './link.js';
import type { Login, Pause } from './log-in.js';
import { authenticationFailure } from './login-failures.js';
import { missingCategory, readServerOpening } from './server-offer.js';
import type { ServerOpening } from './server-offer.js';
import { takeOverLogin } from './ssh2-auth.js';
import { ignoreHostKeyAnnouncements, troubleOf } from './ssh2-internals.js';

export interface HandshakePlan extends Omit<HostKeyQuestion, 'nowMs'> {
  /** Goes on from connection to connection. */
  readonly login: Login;
  /** Records a new host key. Rejects with FleetmendError. */
  learn(hostKey: Buffer): Promise<void>;
  /** Starts anew after a wait for something that is not the server's: the turn of a password, the known_hosts file. */
  readonly timeoutMs: number;
}

export type HandshakeResult =
  /** `hostKey`: plain, also where the host showed a certificate. */
  | { readonly result: 'loggedIn'; readonly client: Client; readonly hostKey: Buffer }
  /** The connection is over; another one that asks for these keys is worth its cost. */
  | { readonly result: 'askAgain'; readonly wish: KeyWish }
  /** The server hung up after so many refused keys, and there are others. */
  | { readonly result: 'goOn' };

/** `leave`: called when something else than the server is waited for. Rejects with FleetmendError of an unreachable kind; the link has ended then. */
export async function shakeHands(link: Link, plan: HandshakePlan, leave: () => void): Promise<HandshakeResult> {
  const { host } = plan;
  const client = new ssh2.Client();
  const opening = collectOpening(link);
  const hangUps = new Map<Failure, 'saidGoodbye' | 'lost'>();
  const hostKey = createHostVerifier(link, plan);

  const enter = (next: Stage): void => {
    stage = next;
    link.explainLoss = next.lost;
  };
  let stage = handshakeStage(plan, () => opening.read().greeting);
  enter(stage);
  let timer: NodeJS.Timeout | undefined;
  const startTimer = (): void => {
    timer = setTimeout(() => link.end(stage.late()), plan.timeoutMs);
  };
  const pause: Pause = () => {
    clearTimeout(timer);
    leave();
    return () => {
      if (link.reason === undefined) startTimer();
    };
  };
  let recorded = Promise.resolve();
  const record = async (newKey: Buffer): Promise<void> => {
    const goOn = pause();
    await plan.learn(newKey).catch((error: unknown) => link.end(failureOf(error)));
    goOn();
  };
  client.on('error', (error) => {
    switch (troubleOf(error)) {
      case 'socket':
        return; // the link has seen it
      case 'handshake':
        return link.end(explainHandshake(plan, error, opening.read()));
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
    if (stage.name !== 'handshake') return;
    enter(loginStage(plan, hangUps));
    // Only now has the server proved the key. Whoever cannot be remembered gets neither a password nor a signature.
    const newKey = hostKey.toLearn();
    if (newKey && link.reason === undefined) recorded = record(newKey);
  });
  const ready = new Promise<void>((resolve) => {
    client.once('ready', () => {
      opening.stop();
      enter(shellStage(host));
      resolve();
    });
  });
  startTimer();
  try {
    connectClient(client, link, plan, { verify: hostKey.verify, recorded: () => recorded, pause });
    const flood = watchFlood(link, client, (what) => link.end(protocolFailure(host, what)));
    await link.guard(ready.then(flood.loggedIn));
    return { result: 'loggedIn', client, hostKey: hostKey.accepted() };
  } catch (error) {
    const wish = hostKey.wishInstead();
    if (wish) return { result: 'askAgain', wish };
    const hangUp = link.reason && hangUps.get(link.reason);
    if (plan.login.ended(hangUp === 'saidGoodbye') && hangUp) return { result: 'goOn' };
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

interface Doings {
  verify(key: Buffer): boolean;
  recorded(): Promise<void>;
  readonly pause: Pause;
}

function connectClient(client: Client, link: Link, plan: HandshakePlan, { verify, recorded, pause }: Doings): void {
  try {
    let start: () => void = () => undefined;
    client.connect({
      sock: link.socket,
      username: plan.host.user,
      algorithms: algorithmsFor(plan.host.algorithms, plan.wish),
      hostVerifier: verify,
      // ssh2 asks once what to offer, hears nothing, and leaves the rest to us.
      authHandler: () => void recorded().then(() => {
        if (link.reason === undefined) start();
      }),
      readyTimeout: 0, // our own limit also covers the time in which ssh2 would emit two errors
      keepaliveInterval: plan.host.keepAlive.intervalMs,
      keepaliveCountMax: plan.host.keepAlive.countMax,
    });
    ignoreHostKeyAnnouncements(client);
    const wire = takeOverLogin(client, (answer) => login.onAnswer(answer), () => link.reason === undefined);
    if (wire === undefined) throw new Error('this version of ssh2 is not known');
    const login = plan.login.begin(wire, (failure) => link.end(failure), pause);
    start = login.start;
  } catch (error) {
    link.end(protocolFailure(plan.host, error instanceof Error ? error.message : 'ssh2 refused to start'));
  }
}

interface HostVerifier {
  verify(key: Buffer): boolean;
  accepted(): Buffer;
  toLearn(): Buffer | undefined;
  wishInstead(): KeyWish | undefined;
}

function createHostVerifier(link: Link, plan: HandshakePlan): HostVerifier {
  let accepted: { readonly shown: Buffer; readonly hostKey: Buffer; readonly mustLearn: boolean } | undefined;
  let wish: KeyWish | undefined;
  const refuse = (failure: Failure): false => {
    link.end(failure);
    return false;
  };
  return {
    verify(shown) {
      if (accepted) return accepted.shown.equals(shown) || refuse(swappedKeyFailure(plan.host));
      const decided = decideHostKey({ ...plan, nowMs: Date.now() }, shown);
      switch (decided.decision) {
        case 'refuse':
          return refuse(decided.failure);
        case 'askAgain':
          wish = decided.wish;
          return refuse(decided.failure);
        case 'accept':
        case 'acceptAndLearn':
          accepted = { shown: Buffer.from(shown), hostKey: decided.hostKey, mustLearn: decided.decision === 'acceptAndLearn' };
          return true;
      }
    },
    accepted() {
      if (accepted === undefined) throw new FleetmendError(protocolFailure(plan.host, 'it let us in without showing a host key'));
      return accepted.hostKey;
    },
    toLearn: () => (accepted?.mustLearn === true ? accepted.hostKey : undefined),
    wishInstead: () => wish,
  };
}

/** What the end of the connection means, by how far it had come. */
interface Stage {
  readonly name: 'handshake' | 'login' | 'shell';
  lost(reason: string): Failure;
  saidGoodbye(reason: string): Failure;
  broken(reason: string): Failure;
  /** The time limit is over. */
  late(): Failure;
}

function handshakeStage({ host, timeoutMs }: HandshakePlan, greeting: () => string): Stage {
  const lost = (reason: string): Failure => lostBeforeHandshakeFailure(host, reason, greeting());
  return {
    name: 'handshake', lost, saidGoodbye: lost, broken: (reason) => protocolFailure(host, reason),
    late: () => handshakeTimeoutFailure(host, timeoutMs, greeting()),
  };
}

function loginStage({ host, login, timeoutMs }: HandshakePlan, hangUps: Map<Failure, 'saidGoodbye' | 'lost'>): Stage {
  const hangUp = (how: 'saidGoodbye' | 'lost', failure: Failure): Failure => {
    hangUps.set(failure, how);
    return failure;
  };
  return {
    name: 'login',
    lost: (reason) => hangUp('lost', lostInLoginFailure(host, reason)),
    saidGoodbye: (reason) => hangUp('saidGoodbye', authenticationFailure(host, reason, login.record)),
    broken: (reason) => protocolFailure(host, reason),
    late: () => loginTimeoutFailure(host, timeoutMs, login.underWay),
  };
}

function shellStage(host: Hop): Stage {
  const lost = (reason: string): Failure => connectionLostFailure(host, reason);
  return { name: 'shell', lost, saidGoodbye: lost, broken: lost, late: () => lost('it was late') };
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

function explainHandshake({ host, wish }: HandshakePlan, error: Error, { offer }: ServerOpening): Failure {
  const ours = { ...host.algorithms, hostKeys: hostKeysFor(host.algorithms, wish) };
  const category = offer && missingCategory(ours, offer);
  if (offer === undefined || category === undefined) return protocolFailure(host, error.message);
  const legacyHelps = !host.algorithms.legacy && missingCategory(LEGACY_OFFER, offer) === undefined;
  return noCommonAlgorithmFailure(host, CATEGORY_WORDS[category], offer[category], ours[category], legacyHelps);
}
