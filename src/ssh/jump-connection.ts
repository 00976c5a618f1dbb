/**
 * One logged-in connection to a jump host and the channels that it carries. Closes itself when nobody used it for a while, and keeps
 * the process alive only while something of it is in use. Never opens a session there, and never forwards an agent.
 */
import type { Client, ClientChannel } from './ssh2.js';
import { FleetmendError } from '../core/failure.js';
import type { Failure } from '../core/failure.js';
import { abortFailure, untilAborted } from './abort.js';
import { connectionLostFailure, lostBeforeHandshakeFailure } from './failures.js';
import { forwardingForbiddenFailure, jumpHostFailure, unreachableFromFailure } from './jump-failures.js';
import { keepAlive } from './keep-alive.js';
import { createLink, endOnAbort } from './link.js';
import type { Link } from './link.js';
import { createPipedSocket } from './piped-socket.js';
import type { Hop } from './route.js';
import { openFailureOf, pingServer, wakeChannel } from './ssh2-internals.js';
import type { ChannelRefusal } from './ssh2-internals.js';

export interface JumpConnection {
  /** Asked for or open. */
  readonly channels: number;
  /** Why it carries nothing any more. */
  readonly lost: Failure | undefined;
  /** A connection to `host` through it, or `full`: how many channels it had when it took no more. Rejects with FleetmendError. */
  open(host: Hop, signal: AbortSignal): Promise<Link | { readonly full: number }>;
}

export interface JumpConnectionOptions {
  readonly idleMs: number;
  /** For an answer to "are you there?", when a channel is not answered in time. */
  readonly probeMs: number;
  /** A channel was freed, or the connection has ended. */
  onChange(): void;
}

/** OpenSSH's client says this of a forwarded stream too: there is no port here that anybody connected to. */
const ORIGIN = { address: '127.0.0.1', port: 65535 };

/** RFC 4254, 5.1. */
const REFUSED = { forbidden: 1, connectFailed: 2, unknownType: 3, shortage: 4 } as const;

interface Place {
  link?: Link;
  keepsAlive: boolean;
}

type Answer = { readonly channel: ClientChannel } | ChannelRefusal;

export function createJumpConnection(jump: Hop, connected: { readonly link: Link; readonly client: Client }, options: JumpConnectionOptions): JumpConnection {
  const { link, client } = connected;
  const places = new Set<Place>();
  const alive = keepAlive(link, (answered) => pingServer(client, answered), jump.keepAlive);
  let lost: Failure | undefined;
  let idleTimer: NodeJS.Timeout | undefined;

  const isInUse = (): boolean => {
    for (const place of places) if (place.keepsAlive) return true;
    return false;
  };
  const settleUse = (): void => {
    clearTimeout(idleTimer);
    if (isInUse()) link.socket.ref();
    else link.socket.unref();
    if (places.size === 0 && lost === undefined) idleTimer = setTimeout(leave, options.idleMs).unref();
  };
  const leave = (): void => {
    if (link.socket.writable) client.end();
    link.end(connectionLostFailure(jump, 'closed from here'));
  };
  const free = (place: Place): void => {
    if (!places.delete(place)) return;
    settleUse();
    options.onChange();
  };
  link.whenEnded((reason) => {
    lost = jumpHostFailure(jump, reason);
    clearTimeout(idleTimer);
    for (const place of places) place.link?.end(lost);
    options.onChange();
  });
  // A polite goodbye: ssh2 ends its side without a word, and a server that leaves its own open would be asked for ever.
  link.socket.once('finish', () => link.end(link.explainLoss('it said goodbye')));
  settleUse();

  const ask = (host: Hop): Promise<Answer> =>
    new Promise((resolve) => {
      try {
        client.forwardOut(ORIGIN.address, ORIGIN.port, host.address, host.port, (error: Error | undefined, channel) => {
          // The end of the connection answers everything at once: why it ended is known better.
          if (link.reason === undefined) resolve(error ? openFailureOf(error) : { channel });
        });
      } catch {
        // ssh2 has ended its side, and only that is what it throws for.
        link.end(link.explainLoss('it said goodbye'));
      }
    });

  const carry = (place: Place, channel: ClientChannel, host: Hop, signal: AbortSignal): Link => {
    channel.stderr.resume();
    const keep = (keepsAlive: boolean): void => {
      place.keepsAlive = keepsAlive;
      if (places.has(place)) settleUse();
    };
    const socket = createPipedSocket({
      output: channel, input: channel, ref: () => keep(true), unref: () => keep(false),
      probe: () => alive.probe(options.probeMs),
      release: () => { if (link.reason === undefined) channel.destroy(); },
    });
    channel.on('data', () => setImmediate(() => wakeChannel(channel)));
    const inner = createLink(socket, (reason) => lostBeforeHandshakeFailure(host, reason, ''));
    place.link = inner;
    inner.whenEnded(() => free(place));
    endOnAbort(inner, signal, () => abortFailure(host, signal));
    return inner;
  };

  const judge = (refused: ChannelRefusal, before: number, host: Hop): { readonly full: number } => {
    switch (refused.code) {
      case REFUSED.forbidden:
      case REFUSED.unknownType:
        throw new FleetmendError(forwardingForbiddenFailure(jump));
      case REFUSED.shortage:
        return { full: before };
      default:
        throw new FleetmendError(unreachableFromFailure(host, jump, refused.said));
    }
  };

  return {
    get channels() {
      return places.size;
    },
    get lost() {
      return lost;
    },
    async open(host, signal) {
      if (lost) throw new FleetmendError(lost);
      const before = places.size;
      const place: Place = { keepsAlive: true };
      places.add(place);
      settleUse();
      const answer = ask(host);
      try {
        const got = await untilAborted(link.guard(within(host.connectTimeoutMs, answer)), host, signal);
        if (got === 'late') {
          if (await untilAborted(alive.probe(options.probeMs), host, signal)) throw new FleetmendError(unreachableFromFailure(host, jump, `no answer within ${host.connectTimeoutMs} ms`));
          throw new FleetmendError(lost ?? connectionLostFailure(jump, 'it is silent'));
        }
        if ('channel' in got) return carry(place, got.channel, host, signal);
        free(place);
        return judge(got, before, host);
      } catch (error) {
        void answer.then((late) => 'channel' in late && late.channel.destroy());
        free(place);
        throw lost && !signal.aborted ? new FleetmendError(lost) : error;
      }
    },
  };
}

async function within<T>(ms: number, answer: Promise<T>): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, ms, 'late');
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
