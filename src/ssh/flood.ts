/**
 * How much a server may send that nobody asked for. A connection on which it sends more is ended at once: without this, an enemy
 * keeps the process busy for the whole of a time limit, or fills its memory (ssh2 answers most messages, and queues the answers).
 * Counts bytes and messages; never looks into what is sent.
 */
import type { Client } from './ssh2.js';
import type { Link } from './link.js';
import { hasIdentification, watchChannels } from './ssh2-internals.js';

/** Before the line `SSH-2.0-`: a few lines of text (RFC 4253 4.2). ssh2 reads them anew with every byte that comes. */
export const GREETING_LIMIT_BYTES = 16 * 1024;
/** All of a server's share of a handshake and login: key exchange 2 KB, banners a screenful. */
export const LOGIN_LIMIT_BYTES = 1024 * 1024;
/** Beyond the output of channels, after the login: answers, key exchanges, keepalives. */
export const IDLE_TALK_LIMIT_BYTES = 1024 * 1024;
/** A server that talks for days may say more. */
const IDLE_TALK_BYTES_A_SECOND = 1024;
/** One costs some 2 ms of CPU; sshd makes one for each gigabyte or hour, and `RekeyLimit` of careful people one for some hundred KiB, both ways together. */
export const KEY_EXCHANGE_LIMIT = 100;
const BYTES_A_KEY_EXCHANGE = 64 * 1024;
/** What a message of output may cost on the wire beyond its text, and twice its text for a channel within a channel. */
const MESSAGE_BYTES = 128;

export interface FloodWatch {
  /** From now on output of channels is expected. */
  loggedIn(): void;
}

/** `over` is called once, with what was too much. To be called after `client.connect()`. */
export function watchFlood(link: Link, client: Client, over: (what: string) => void, nowMs: () => number = () => performance.now()): FloodWatch {
  const startedMs = nowMs();
  const seconds = (): number => (nowMs() - startedMs) / 1000;
  let received = 0;
  let talk = 0;
  let exchanges = 0;
  let isLoggedIn = false;
  let isOver = false;
  const end = (what: string): void => {
    if (isOver) return;
    isOver = true;
    over(what);
  };
  const onBytes = (chunk: Buffer): void => {
    received += chunk.length;
    talk += chunk.length;
    if (received > GREETING_LIMIT_BYTES && !hasIdentification(client)) end(`${GREETING_LIMIT_BYTES} bytes came before its identification`);
    else if (!isLoggedIn && talk > LOGIN_LIMIT_BYTES) end(`${LOGIN_LIMIT_BYTES} bytes came before the login was done`);
    else if (talk > IDLE_TALK_LIMIT_BYTES + IDLE_TALK_BYTES_A_SECOND * seconds()) end(`${IDLE_TALK_LIMIT_BYTES} bytes came that nobody had asked for`);
  };
  watchChannels(client, {
    onOutput: (bytes) => { talk = Math.max(0, talk - 2 * bytes - MESSAGE_BYTES); },
    onBreach: end,
  });
  client.on('handshake', () => {
    exchanges += 1;
    if (exchanges > KEY_EXCHANGE_LIMIT + seconds() + received / BYTES_A_KEY_EXCHANGE) end(`it exchanged keys ${exchanges} times`);
  });
  link.socket.on('data', onBytes);
  return {
    loggedIn() {
      isLoggedIn = true;
      talk = 0;
    },
  };
}
