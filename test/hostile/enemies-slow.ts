/** Enemies that make one wait: they stop anywhere, or go on one byte at a time. */
import { encodeFrame, upLine } from '../../src/host/wire.js';
import { joinFields } from '../../src/host/words.js';
import type { Connection, ServerChannel } from '../../src/ssh/ssh2.js';
import type { Enemy } from './enemy.js';
import { POISON } from './enemy.js';
import { message, MESSAGE, plainPacket, sendPacket, text, uint32 } from './raw-packets.js';

const IDENTIFICATION = 'SSH-2.0-OpenSSH_9.9\r\n';
/** Between two drips; many fit into each of the limits under test. */
const DRIP_MS = 5;

/** While the other side is there. */
function drip(is: { readonly destroyed: boolean; once(event: 'close', act: () => void): unknown }, act: () => void): void {
  const timer = setInterval(() => (is.destroyed ? clearInterval(timer) : act()), DRIP_MS);
  is.once('close', () => clearInterval(timer));
}

/** From the message of this type on, the server says no more, though it goes on listening. */
function muteFrom(type: number): NonNullable<Enemy['onConnection']> {
  return (connection) => {
    const protocol = (connection as unknown as { readonly _protocol: { _cipher: { encrypt(packet: Buffer): void } } })._protocol;
    let cipher = protocol._cipher;
    let isMute = false;
    const wrap = (): void => {
      const encrypt = cipher.encrypt.bind(cipher);
      cipher.encrypt = (packet) => {
        isMute ||= packet[5] === type;
        if (!isMute) encrypt(packet);
      };
    };
    wrap();
    Object.defineProperty(protocol, '_cipher', { get: () => cipher, set: (next: typeof cipher) => { cipher = next; wrap(); } });
  };
}

const nothing = (): void => undefined;

/** Answers the first request in single bytes, for ever. */
const drippingAfter = (begin: (nonce: string) => string): NonNullable<Enemy['shell']> => (channel, nonce) => {
  channel.write(`${upLine(nonce)}\n`);
  channel.once('data', () => {
    channel.write(begin(nonce));
    drip(channel, () => channel.write('A'));
  });
};

const silentUntilClosed: Enemy['shell'] = (channel: ServerChannel, nonce: string) => { channel.write(`${upLine(nonce)}\n`); channel.resume(); };

export const SLOW_ENEMIES: readonly Enemy[] = [
  { name: 'silence-from-the-start', ends: ['handshakeTimeout'], tcp: nothing },
  { name: 'greeting-that-drips', ends: ['handshakeTimeout'], tcp: (socket) => drip(socket, () => socket.write('x')) },
  { name: 'greeting-lines-that-drip', ends: ['handshakeTimeout', 'protocol'], tcp: (socket) => drip(socket, () => socket.write(`${POISON}\r\n`.replaceAll(/\r(?!\n)/g, ''))) },
  { name: 'silence-after-the-identification', ends: ['handshakeTimeout'], tcp: (socket) => void socket.write(IDENTIFICATION) },
  { name: 'offer-that-drips', ends: ['handshakeTimeout'], tcp: (socket) => {
    const packet = plainPacket(message(MESSAGE.kexInit, Buffer.alloc(1000)));
    let at = 0;
    socket.write(IDENTIFICATION);
    drip(socket, () => { socket.write(packet.subarray(at, at + 1)); at += 1; });
  } },
  { name: 'messages-that-drip-before-the-offer', ends: ['handshakeTimeout', 'protocol'], tcp: (socket) => {
    socket.write(IDENTIFICATION);
    drip(socket, () => socket.write(plainPacket(message(MESSAGE.ignore, text('x')))));
  } },
  { name: 'silence-in-the-key-exchange', ends: ['handshakeTimeout'], onConnection: muteFrom(MESSAGE.kexReply) },
  { name: 'silence-before-the-new-keys', ends: ['handshakeTimeout'], onConnection: muteFrom(21) },
  { name: 'silence-in-the-login', ends: ['handshakeTimeout'], ssh: { onAuthentication: nothing } },
  { name: 'login-banner-that-drips', ends: ['handshakeTimeout'], ssh: { onAuthentication: (_context, connection) => drip(socketOf(connection), () => sendPacket(connection, message(MESSAGE.authBanner, text(POISON), text('')))) } },
  { name: 'a-million-questions-in-one', ends: ['handshakeTimeout', 'protocol', 'authentication'], ssh: { onAuthentication: (_context, connection) => sendPacket(connection, message(MESSAGE.infoRequest, text(''), text(''), text(''), uint32(0xffffffff))) } },
  { name: 'silence-for-the-channel', ends: ['channelRefused'], ssh: { onSession: nothing } },
  { name: 'silence-for-the-command', ends: ['channelRefused'], ssh: { onSession: (accept) => void accept().on('exec', nothing) } },
  { name: 'shell-that-says-nothing', ends: ['noShell'], shell: (channel) => void channel.resume() },
  { name: 'shell-that-drips-noise', ends: ['noShell'], shell: (channel) => drip(channel, () => channel.write('\u001b')) },
  { name: 'shell-that-drips-errors', ends: ['noShell'], shell: (channel) => drip(channel, () => channel.stderr.write('\u001b')) },
  { name: 'shell-that-never-answers', ends: ['timeout'], shell: silentUntilClosed },
  { name: 'shell-that-never-reads', ends: ['timeout'], shell: (channel, nonce) => { channel.write(`${upLine(nonce)}\n`); channel.pause(); } },
  { name: 'answer-of-noise-that-drips', ends: ['timeout'], shell: drippingAfter(() => '') },
  { name: 'answer-whose-header-drips', ends: ['timeout', 'protocol'], shell: drippingAfter((nonce) => `\nfm-begin-${nonce} 1`) },
  { name: 'answer-that-drips', ends: ['timeout'], shell: drippingAfter((nonce) => `\nfm-begin-${nonce} 1 16000000\n`) },
  { name: 'answer-whose-digest-drips', ends: ['timeout'], shell: drippingAfter((nonce) => `\nfm-begin-${nonce} 1 4\nQUJD\nfm-end-${nonce} 1 `) },
  { name: 'answer-that-is-another-each-time', ends: ['unknown'], shell: (channel, nonce) => {
    let seq = 0;
    channel.write(`${upLine(nonce)}\n`);
    // One file that changes for ever: asked for again, and never the same.
    channel.on('data', (chunk: Buffer) => { if (chunk.includes(` ${nonce}\n`)) channel.write(encodeFrame(nonce, (seq += 1), joinFields(nonce, ['ok', '+', '5 81a4 0 0 1 1 1\n', 'f\0', 'longer than it says']))); });
  } },
  { name: 'goodbye-in-good-manners-that-stays', ends: ['timeout', 'connectionLost'], shell: (channel, nonce, connection) => {
    channel.write(`${upLine(nonce)}\n`);
    sendPacket(connection, message(MESSAGE.disconnect, uint32(11), text(POISON), text('')));
  } },
  { name: 'new-keys-that-never-come', ends: ['timeout', 'connectionLost'], shell: (channel, nonce, connection) => {
    channel.write(`${upLine(nonce)}\n`);
    muteFrom(21)(connection);
    connection.rekey();
  } },
  { name: 'key-exchange-without-end', ends: ['noShell', 'protocol'], shell: (_channel, _nonce, connection) => rekeyForEver(connection) },
  { name: 'exit-without-an-end', ends: ['noShell', 'connectionLost', 'protocol'], shell: (channel) => channel.exit(0) },
  { name: 'goodbye-before-the-key-exchange', ends: ['lostBeforeHandshake'], tcp: (socket) => void socket.write(Buffer.concat([Buffer.from(IDENTIFICATION), plainPacket(message(MESSAGE.disconnect, uint32(2), text(POISON), text('')))])) },
  { name: 'closed-after-the-identification', ends: ['lostBeforeHandshake'], tcp: (socket) => socket.end(`${POISON}\r\n${IDENTIFICATION}`) },
  { name: 'reset-after-the-identification', ends: ['lostBeforeHandshake'], tcp: (socket) => socket.write(IDENTIFICATION, () => socket.resetAndDestroy()) },
];

function socketOf(connection: Connection): Parameters<typeof drip>[0] {
  return (connection as unknown as { readonly _sock: Parameters<typeof drip>[0] })._sock;
}

function rekeyForEver(connection: Connection): void {
  drip(socketOf(connection), () => {
    try {
      connection.rekey();
    } catch {
      // One is under way.
    }
  });
}
