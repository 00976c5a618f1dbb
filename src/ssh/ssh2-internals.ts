/**
 * Every place where fleetmend leans on something that ssh2 does not promise: private fields, and the properties of its
 * errors. Each is looked for before it is used, and a contract test fails when a new version of ssh2 moved it.
 * Never throws.
 */
import type { Client, ClientChannel } from './ssh2.js';

const HOST_KEYS_ANNOUNCEMENT = 'hostkeys-00@openssh.com';

type GlobalRequestHandler = (protocol: { requestFailure?: () => void }, name: string, wantsReply: boolean, data: unknown) => void;

/**
 * ssh2 makes every OpenSSH server prove all its host keys at every login, a quarter of the client's CPU, and has no
 * option against it (ssh.md 1.4, 3.3). To be called after `client.connect()`. False when ssh2 looks different: the
 * connection works then, only slower.
 */
export function ignoreHostKeyAnnouncements(client: Client): boolean {
  const handlers = fieldOf(fieldOf(client, '_protocol'), '_handlers');
  const original = fieldOf(handlers, 'GLOBAL_REQUEST');
  if (typeof handlers !== 'object' || handlers === null || typeof original !== 'function') return false;
  const quiet: GlobalRequestHandler = (protocol, name, wantsReply, data) => {
    if (name !== HOST_KEYS_ANNOUNCEMENT) (original as GlobalRequestHandler)(protocol, name, wantsReply, data);
    else if (wantsReply) protocol.requestFailure?.();
  };
  Object.assign(handlers, { GLOBAL_REQUEST: quiet });
  return true;
}

/** The server has sent its line `SSH-2.0-...`. */
export function hasIdentification(client: Client): boolean {
  return fieldOf(fieldOf(client, '_protocol'), '_remoteIdentRaw') !== undefined;
}

/** What a server does with the channels that we opened. */
export interface ChannelWatch {
  /** Bytes that arrived for a channel of ours, on either output. */
  onOutput(bytes: number): void;
  /** The server did what no server may: in words. */
  onBreach(what: string): void;
}

/** A server that takes less at a time would be fed in pieces of a few bytes; ssh2 would loop for ever where it is 0. */
const MIN_PACKET_BYTES = 256;
/** What the peer may send too much is a tenth of our window, as sshd's own limit is; ssh2 alone has none. */
const OVERRUN_BYTES = 200 * 1024;

type ChannelHandler = (protocol: unknown, ...rest: unknown[]) => void;

/** To be called after `client.connect()`. False when ssh2 looks different: the connection then has no such watch. */
export function watchChannels(client: Client, watch: ChannelWatch): boolean {
  const handlers = fieldOf(fieldOf(client, '_protocol'), '_handlers');
  const channels = fieldOf(client, '_chanMgr');
  const [confirm, data, extended] = ['CHANNEL_OPEN_CONFIRMATION', 'CHANNEL_DATA', 'CHANNEL_EXTENDED_DATA'].map((name) => fieldOf(handlers, name) as ChannelHandler | undefined);
  const channelOf = fieldOf(channels, 'get') as ((id: unknown) => unknown) | undefined;
  if (typeof handlers !== 'object' || handlers === null || !confirm || !data || !extended || !channelOf) return false;
  const counting = (handle: ChannelHandler): ChannelHandler => (protocol, recipient, bytes, ...rest) => {
    const incoming = fieldOf(channelOf.call(channels, recipient), 'incoming');
    const windowBefore = fieldOf(incoming, 'window');
    handle(protocol, recipient, bytes, ...rest);
    if (typeof windowBefore !== 'number' || !(bytes instanceof Uint8Array)) return;
    if (bytes.length - windowBefore > OVERRUN_BYTES) watch.onBreach('it sends more than the window of the channel has room for');
    if (windowBefore !== 0) watch.onOutput(bytes.length);
  };
  Object.assign(handlers, {
    CHANNEL_OPEN_CONFIRMATION: ((protocol, info, ...rest) => {
      const packetSize = fieldOf(info, 'packetSize');
      if (typeof packetSize === 'number' && packetSize < MIN_PACKET_BYTES) watch.onBreach(`it takes no more than ${packetSize} bytes at a time`);
      else confirm(protocol, info, ...rest);
    }) satisfies ChannelHandler,
    CHANNEL_DATA: counting(data),
    CHANNEL_EXTENDED_DATA: counting(extended),
  });
  return true;
}

/**
 * ssh2 notes that it waits for the reader after the reader may have taken everything already, and then gives the server no more room:
 * output stops for ever (seen with Node 24, once in some 75 times 5 MB on stderr). To be called after output was taken.
 */
export function wakeChannel(channel: ClientChannel): void {
  const isEmpty = channel.readableLength === 0 && channel.stderr.readableLength === 0;
  if (isEmpty && fieldOf(channel, '_waitChanDrain') === true) channel._read(0);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/**
 * What an `error` event of a Client is about, by its `level` and `code`, never by its text. `disconnect`: the server said goodbye.
 */
export type ClientTrouble = 'socket' | 'handshake' | 'keepAlive' | 'disconnect' | 'protocol';

export function troubleOf(error: unknown): ClientTrouble {
  switch (fieldOf(error, 'level')) {
    case 'client-socket':
      return 'socket';
    case 'handshake':
      return 'handshake';
    case 'client-timeout':
      return 'keepAlive';
    case undefined:
      return typeof fieldOf(error, 'code') === 'number' ? 'disconnect' : 'protocol';
    default:
      return 'protocol';
  }
}

/** Asks the server to say anything, as ssh2's own keepalive does; only that one cannot be asked out of turn, and keeps the process alive. */
export function pingServer(client: Client, answered: () => void): void {
  const protocol = fieldOf(client, '_protocol');
  const [callbacks, ping] = [fieldOf(client, '_callbacks'), fieldOf(protocol, 'ping')];
  if (!Array.isArray(callbacks) || typeof ping !== 'function') return;
  // Global requests are answered in order.
  callbacks.push(answered);
  ping.call(protocol);
}

/** Why a server opened no channel: `code` as in RFC 4254, 5.1; `said` is the server's text. */
export interface ChannelRefusal {
  readonly code: number | undefined;
  readonly said: string;
}

const OPEN_FAILURE_PREFIX = '(SSH) Channel open failure: ';

export function openFailureOf(error: Error): ChannelRefusal {
  const code = fieldOf(error, 'reason');
  const said = error.message.startsWith(OPEN_FAILURE_PREFIX) ? error.message.slice(OPEN_FAILURE_PREFIX.length) : error.message;
  return { code: typeof code === 'number' ? code : undefined, said };
}
