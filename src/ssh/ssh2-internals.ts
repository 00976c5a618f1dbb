/**
 * Every place where fleetmend leans on something that ssh2 does not promise: private fields, and the properties of its
 * errors. Each is looked for before it is used, and a contract test fails when a new version of ssh2 moved it.
 * Never throws.
 */
import type { Client } from 'ssh2';

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

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/**
 * What an `error` event of a Client is about, by its `level` and `code`, never by its text:
 * `attempt`: one way to authenticate failed on this side, ssh2 goes on with the next; `disconnect`: the server said goodbye.
 */
export type ClientTrouble = 'socket' | 'handshake' | 'attempt' | 'keepAlive' | 'disconnect' | 'protocol';

export function troubleOf(error: unknown): ClientTrouble {
  switch (fieldOf(error, 'level')) {
    case 'client-socket':
      return 'socket';
    case 'handshake':
      return 'handshake';
    case 'client-authentication':
    case 'agent':
      return 'attempt';
    case 'client-timeout':
      return 'keepAlive';
    case undefined:
      return typeof fieldOf(error, 'code') === 'number' ? 'disconnect' : 'protocol';
    default:
      return 'protocol';
  }
}
