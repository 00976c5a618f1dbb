/**
 * Opens the TCP connection with a time limit of our own, one address after the other. Without Nagle's delay (ssh.md 1.3)
 * and without Happy Eyeballs (its 250 ms limit: ssh.md 2.4). Never speaks SSH.
 */
import { connect, isIP } from 'node:net';
import { FleetmendError } from '../core/failure.js';
import type { Failure } from '../core/failure.js';
import type { Hop } from './route.js';
import { abortFailure, untilAborted } from './abort.js';
import { codeOf, connectTimeoutFailure, dnsFailure, lostBeforeHandshakeFailure, refusedFailure } from './failures.js';
import type { Gate } from './gate.js';
import { createLink, endOnAbort } from './link.js';
import type { Link } from './link.js';
import type { ResolveAddress } from './resolve-address.js';

/** The whole of it, name and all addresses, gets `host.connectTimeoutMs` once it is its turn to look the name up. Rejects with FleetmendError. */
export async function dial(host: Hop, resolve: ResolveAddress, lookups: Gate, signal: AbortSignal): Promise<Link> {
  let deadline = 0;
  const lookUp = (): Promise<readonly string[]> => {
    deadline = performance.now() + host.connectTimeoutMs;
    return resolveWithin(host, resolve);
  };
  const known = await untilAborted(isIP(host.address) === 0 ? lookups.run(lookUp, signal) : lookUp(), host, signal);
  const { addressFamily: family } = host;
  const addresses = family === undefined ? known : known.filter((address) => isIP(address) === family);
  let failed: Error = new FleetmendError(dnsFailure(host, family === undefined ? 'it has no address' : `it has no IPv${family} address`));
  for (const [index, address] of addresses.entries()) {
    const leftMs = Math.max(1, deadline - performance.now());
    try {
      return await dialAddress(host, address, leftMs / (addresses.length - index), signal);
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof Error) failed = error;
    }
  }
  throw failed;
}

async function resolveWithin(host: Hop, resolve: ResolveAddress): Promise<readonly string[]> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    const failure = dnsFailure(host, `no answer within ${host.connectTimeoutMs} ms`);
    timer = setTimeout(() => reject(new FleetmendError(failure)), host.connectTimeoutMs);
  });
  const answer = resolve(host.address).catch((error: unknown) => {
    throw new FleetmendError(dnsFailure(host, codeOf(error)), { cause: error });
  });
  try {
    return await Promise.race([tooLate, answer]);
  } finally {
    clearTimeout(timer);
  }
}

async function dialAddress(host: Hop, address: string, timeoutMs: number, signal: AbortSignal): Promise<Link> {
  const from = host.bindAddress === undefined ? {} : { localAddress: host.bindAddress };
  const socket = connect({ host: address, port: host.port, autoSelectFamily: false, ...from });
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 30_000);
  const link = createLink(socket, (code) => connectFailure(host, code));
  endOnAbort(link, signal, () => abortFailure(host, signal));
  const timer = setTimeout(() => link.end(connectTimeoutFailure(host, `no answer within ${host.connectTimeoutMs} ms`)), timeoutMs);
  try {
    await link.guard(new Promise<void>((resolve) => socket.once('connect', () => resolve())));
    link.explainLoss = (reason) => lostBeforeHandshakeFailure(host, reason, '');
    return link;
  } finally {
    clearTimeout(timer);
  }
}

function connectFailure(host: Hop, code: string): Failure {
  // A reset comes from a server that took the connection and dropped it before we looked: sshd beyond its MaxStartups.
  if (code === 'ECONNRESET') return lostBeforeHandshakeFailure(host, code, '');
  return code === 'ECONNREFUSED' ? refusedFailure(host, code) : connectTimeoutFailure(host, code);
}
