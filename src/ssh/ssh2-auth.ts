/**
 * Takes the login out of ssh2's hands: it can neither offer certificates and FIDO keys, nor go on after a hang-up, nor say what a
 * server asks (ssh.md 2.3). Leans on private fields of ssh2, each looked for before use and held by a contract test. Never decides
 * anything: it carries messages.
 */
import type { Client } from './ssh2.js';
import type { Prompt } from './password-login.js';
import type { AuthMethod, ServerAnswer } from './user-auth-messages.js';

export interface AuthWire {
  /** What every signature covers first. */
  sessionId(): Buffer;
  /** `server-sig-algs`; `undefined`: it said nothing. */
  serverSignatures(): readonly string[] | undefined;
  /** Does nothing once the connection is gone. */
  send(payload: Buffer, method: AuthMethod): void;
}

interface Protocol {
  readonly _handlers: Record<string, Handler | undefined>;
  readonly _kex: { readonly sessionID?: Buffer } | undefined;
  readonly _compatFlags: number;
  /** Tells the meanings of message 60 apart. */
  readonly _authsQueue: AuthMethod[];
  /** Of a key exchange under way: what is sent meanwhile waits. */
  readonly _kexinit: unknown;
  _queue: Buffer[] | undefined;
  readonly _cipher: { encrypt(packet: Buffer): void } | undefined;
  readonly _packetRW: { readonly write: { readonly allocStart: number; alloc(bytes: number): Buffer; finalize(packet: Buffer): Buffer } };
}

type Handler = (protocol: Protocol, ...rest: never[]) => void;

/** OpenSSH 7.4 forgets to name them (COMPAT.IMPLY_RSA_SHA2_SIGALGS). */
const KNOWS_SHA2_FLAG = 1 << 4;
const SHA2 = ['rsa-sha2-256', 'rsa-sha2-512'];

/** To be called after `client.connect()`. `undefined` when ssh2 looks different: nobody can log in then. */
export function takeOverLogin(client: Client, onAnswer: (answer: ServerAnswer) => void, isOpen: () => boolean): AuthWire | undefined {
  const protocol = (client as unknown as { readonly _protocol?: Protocol })._protocol;
  const handlers = protocol?._handlers;
  const [onSuccess, onExtInfo] = [handlers?.['USERAUTH_SUCCESS'], handlers?.['EXT_INFO']];
  if (!protocol || !handlers || !onSuccess || !onExtInfo || !handlers['USERAUTH_FAILURE'] || !Array.isArray(protocol._authsQueue)) return undefined;

  let named: readonly string[] | undefined;
  Object.assign(handlers, {
    USERAUTH_FAILURE: (_: Protocol, methods: readonly string[], partial: boolean) => onAnswer({ answer: 'failure', methods, partial }),
    USERAUTH_PK_OK: (_: Protocol, __: string, blob: Buffer) => onAnswer({ answer: 'keyAccepted', blob }),
    USERAUTH_INFO_REQUEST: (_: Protocol, __: string, ___: string, prompts: readonly Prompt[]) => onAnswer({ answer: 'asks', prompts }),
    USERAUTH_PASSWD_CHANGEREQ: () => onAnswer({ answer: 'passwordExpired' }),
    USERAUTH_SUCCESS: (self: Protocol, ...rest: never[]) => {
      onAnswer({ answer: 'success' });
      onSuccess(self, ...rest);
    },
    EXT_INFO: (self: Protocol, ...rest: never[]) => {
      const [extensions] = rest as unknown as [readonly { readonly name: string; readonly algs: readonly string[] }[]];
      named ??= extensions.find(({ name }) => name === 'server-sig-algs')?.algs;
      onExtInfo(self, ...rest);
    },
  });
  return {
    sessionId: () => Buffer.from(protocol._kex?.sessionID ?? []),
    serverSignatures: () => (protocol._compatFlags & KNOWS_SHA2_FLAG ? [...(named ?? []), ...SHA2] : named),
    send(payload, method) {
      if (!isOpen()) return;
      protocol._authsQueue.push(method);
      sendPacket(protocol, payload);
    },
  };
}

/** As ssh2's own `sendPacket`, which no object of it gives away. */
function sendPacket(protocol: Protocol, payload: Buffer): void {
  const { write } = protocol._packetRW;
  const packet = write.alloc(payload.length);
  packet.set(payload, write.allocStart);
  const finished = write.finalize(packet);
  if (protocol._kexinit === undefined) protocol._cipher?.encrypt(finished);
  else protocol._queue = [...(protocol._queue ?? []), finished];
}
