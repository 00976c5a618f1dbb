/** Sends what ssh2's Server has no function for: any payload, as a packet of its connection. */
import type { Connection } from '../../src/ssh/ssh2.js';

interface Cipher {
  allocPacket(length: number): Buffer;
  encrypt(packet: Buffer): void;
}

export interface ServerProtocol {
  readonly _cipher: Cipher;
  _packetRW: { write: object };
  authBanner?(text: string): void;
  channelOpenConfirm(remote: number, local: number, window: number, packetSize: number): void;
  disconnect(reason: number): void;
}

export const MESSAGE = {
  disconnect: 1, ignore: 2, unimplemented: 3, debug: 4, extInfo: 7, kexInit: 20, kexReply: 31, authFailure: 51, authSuccess: 52, authBanner: 53,
  infoRequest: 60, globalRequest: 80, channelOpen: 90, channelOpenFailure: 92, windowAdjust: 93, channelData: 94, channelExtendedData: 95,
  channelClose: 97, channelRequest: 98, channelSuccess: 99,
} as const;

export function protocolOf(connection: Connection): ServerProtocol {
  return (connection as unknown as { readonly _protocol: ServerProtocol })._protocol;
}

export function sendPacket(connection: Connection, payload: Buffer): void {
  const { _cipher } = protocolOf(connection);
  const packet = _cipher.allocPacket(payload.length);
  packet.set(payload, 5);
  _cipher.encrypt(packet);
}

export const byte = (value: number): Buffer => Buffer.from([value]);

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

export function message(type: number, ...fields: readonly Buffer[]): Buffer {
  return Buffer.concat([byte(type), ...fields]);
}

/** A packet before encryption. */
export function plainPacket(payload: Buffer): Buffer {
  const padding = 4 + ((8 - ((payload.length + 9) % 8)) % 8);
  return Buffer.concat([uint32(payload.length + padding + 1), byte(padding), payload, Buffer.alloc(padding)]);
}

/** A flood that goes on while the connection lives: a batch for each turn of the event loop. The client's answers are not read. */
export function flood(connection: Connection, payload: Buffer, perTurn = 200): void {
  const socket = (connection as unknown as { readonly _sock: { readonly destroyed: boolean; readonly writableLength: number } })._sock;
  const turn = (): void => {
    if (socket.destroyed) return;
    if (socket.writableLength < 1024 * 1024) for (let sent = 0; sent < perTurn; sent += 1) sendPacket(connection, payload);
    setImmediate(turn);
  };
  turn();
}
