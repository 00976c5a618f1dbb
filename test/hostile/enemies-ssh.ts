/** Enemies that speak SSH, and turn it against the client. */
import type { Connection } from '../../src/ssh/ssh2.js';
import type { Enemy } from './enemy.js';
import { POISON } from './enemy.js';
import { byte, flood, message, MESSAGE, protocolOf, sendPacket, text, uint32 } from './raw-packets.js';

/** What a visit makes of a connection that ended in its middle. */
const LOST = ['protocol', 'connectionLost', 'noShell', 'channelRefused'] as const;

/** Everything that the server sends from now on goes through `change`, before it is encrypted. */
function change(connection: Connection, alter: (payload: Buffer) => void): void {
  const protocol = protocolOf(connection) as unknown as { _cipher: { encrypt(packet: Buffer): void } };
  let cipher = protocol._cipher;
  const wrap = (): void => {
    const encrypt = cipher.encrypt.bind(cipher);
    cipher.encrypt = (packet) => {
      alter(packet.subarray(5, packet.length - (packet[4] ?? 0) || undefined));
      encrypt(packet);
    };
  };
  wrap();
  Object.defineProperty(protocol, '_cipher', { get: () => cipher, set: (next: typeof cipher) => { cipher = next; wrap(); } });
}

const methods = (list: string, partial = 0): Buffer => message(MESSAGE.authFailure, text(list), byte(partial));

export const SSH_ENEMIES: readonly Enemy[] = [
  { name: 'key-exchange-with-a-point-of-zeros', ends: ['protocol'], onConnection: (connection) => change(connection, (payload) => { if (payload[0] === MESSAGE.kexReply) payload.fill(0, 60, 92); }) },
  { name: 'key-exchange-with-a-wrong-signature', ends: ['protocol'], onConnection: (connection) => change(connection, (payload) => { if (payload[0] === MESSAGE.kexReply) payload.subarray(-8).fill(1); }) },
  { name: 'key-exchange-of-garbage', ends: ['protocol'], onConnection: (connection) => change(connection, (payload) => { if (payload[0] === MESSAGE.kexReply) payload.fill(0xff, 1); }) },
  {
    name: 'endless-login-banner', ends: ['protocol'],
    ssh: { onAuthentication: (_context, connection) => flood(connection, message(MESSAGE.authBanner, text(`${POISON}Authorized use only. `.repeat(200)), text('en')), 10) },
  },
  {
    name: 'endless-questions-at-login', ends: ['protocol', 'authentication'],
    ssh: { onAuthentication: (_context, connection) => flood(connection, message(MESSAGE.infoRequest, text(POISON), text(POISON), text(''), uint32(1), text('Password: '), byte(0))) },
  },
  { name: 'login-methods-of-control-codes', ends: ['authentication'], ssh: { onAuthentication: (_context, connection) => sendPacket(connection, methods(`${POISON},`.repeat(300))) } },
  { name: 'half-a-login-for-ever', ends: ['authentication'], ssh: { onAuthentication: (_context, connection) => sendPacket(connection, methods('publickey,password', 1)) } },
  { name: 'channel-that-takes-no-byte', ends: LOST, onConnection: (connection) => takes(connection, 0) },
  { name: 'channel-that-takes-one-byte', ends: LOST, onConnection: (connection) => takes(connection, 1) },
  { name: 'channel-refused-with-control-codes', ends: ['channelRefused'], ssh: { onSession: (_accept, _reject, connection) => sendPacket(connection, message(MESSAGE.channelOpenFailure, uint32(0), uint32(1), text(POISON), text(''))) } },
  { name: 'output-before-the-command', ends: LOST, ssh: { onSession: (accept, _reject, connection) => { accept().on('exec', () => flood(connection, message(MESSAGE.channelData, uint32(0), text(Buffer.alloc(32_000, 'x'))), 20)); } } },
  { name: 'goodbye-of-control-codes', ends: LOST, shell: (_channel, _nonce, connection) => sendPacket(connection, message(MESSAGE.disconnect, uint32(2), text(POISON), text(''))) },
  { name: 'requests-without-end', ends: LOST, shell: (_channel, _nonce, connection) => flood(connection, message(MESSAGE.globalRequest, text('please-answer'), byte(1))) },
  { name: 'host-keys-without-end', ends: LOST, shell: (_channel, _nonce, connection) => flood(connection, message(MESSAGE.globalRequest, text('hostkeys-00@openssh.com'), byte(1), ...Array.from({ length: 1000 }, () => text('ssh-ed25519'))), 10) },
  { name: 'ignored-messages-without-end', ends: LOST, shell: (_channel, _nonce, connection) => flood(connection, message(MESSAGE.ignore, text(Buffer.alloc(30_000, 'x'))), 20) },
  { name: 'debug-messages-of-control-codes', ends: LOST, shell: (_channel, _nonce, connection) => flood(connection, message(MESSAGE.debug, byte(1), text(POISON.repeat(100)), text('')), 20) },
  { name: 'channels-opened-without-end', ends: LOST, shell: (_channel, _nonce, connection) => flood(connection, message(MESSAGE.channelOpen, text('forwarded-tcpip'), uint32(1), uint32(9), uint32(9), text('127.0.0.1'), uint32(22), text('127.0.0.1'), uint32(22))) },
  { name: 'x11-channels-without-end', ends: LOST, shell: (_channel, _nonce, connection) => flood(connection, message(MESSAGE.channelOpen, text('x11'), uint32(1), uint32(9), uint32(9), text('127.0.0.1'), uint32(22))) },
  { name: 'agent-channels-without-end', ends: LOST, shell: (_channel, _nonce, connection) => flood(connection, message(MESSAGE.channelOpen, text('auth-agent@openssh.com'), uint32(1), uint32(9), uint32(9))) },
  { name: 'window-in-single-bytes', ends: LOST, shell: (_channel, _nonce, connection) => flood(connection, message(MESSAGE.windowAdjust, uint32(0), uint32(1))) },
  { name: 'data-for-channels-that-are-not', ends: LOST, shell: (_channel, _nonce, connection) => flood(connection, message(MESSAGE.channelData, uint32(7), text(Buffer.alloc(30_000, 'x'))), 20) },
  { name: 'exit-a-million-times', ends: LOST, shell: (_channel, _nonce, connection) => flood(connection, message(MESSAGE.channelRequest, uint32(0), text('exit-status'), byte(0), uint32(0))) },
  { name: 'ended-by-a-signal-of-control-codes', ends: LOST, shell: (channel, _nonce, connection) => {
    sendPacket(connection, message(MESSAGE.channelRequest, uint32(0), text('exit-signal'), byte(0), text(`${POISON}`.repeat(20)), byte(0), text(POISON), text('')));
    channel.end();
  } },
  { name: 'login-granted-twice-and-refused', ends: LOST, shell: (channel, _nonce, connection) => {
    for (let sent = 0; sent < 100; sent += 1) sendPacket(connection, message(MESSAGE.authSuccess));
    sendPacket(connection, methods('publickey'));
    channel.end();
  } },
  { name: 'extensions-four-billion', ends: LOST, shell: (_channel, _nonce, connection) => sendPacket(connection, message(MESSAGE.extInfo, uint32(0xffffffff), text('x'), text('y'))) },
  { name: 'message-that-is-cut-off', ends: LOST, shell: (_channel, _nonce, connection) => sendPacket(connection, message(MESSAGE.channelRequest, uint32(0), uint32(0x7fffffff))) },
];

function takes(connection: Connection, packetSize: number): void {
  const protocol = protocolOf(connection);
  const confirm = protocol.channelOpenConfirm.bind(protocol);
  protocol.channelOpenConfirm = (remote, local, window) => confirm(remote, local, window, packetSize);
}
