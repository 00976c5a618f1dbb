/** Enemies that never come as far as a login: raw TCP. */
import { block, pour } from './pour.js';
import type { Enemy } from './enemy.js';
import { POISON } from './enemy.js';
import { byte, message, MESSAGE, plainPacket, text, uint32 } from './raw-packets.js';

const IDENTIFICATION = 'SSH-2.0-OpenSSH_9.9\r\n';

const kexInit = (lists: readonly string[]): Buffer =>
  message(MESSAGE.kexInit, Buffer.alloc(16, 7), ...Array.from({ length: 10 }, (_, index) => text(lists[index] ?? '')), byte(0), uint32(0));

const says = (...parts: readonly (string | Buffer)[]): NonNullable<Enemy['tcp']> => (socket) => {
  socket.write(Buffer.concat(parts.map((part) => Buffer.from(part as string))));
};

const longNames = (name: string): string => Array.from({ length: 600 }, (_, index) => `${name}${index}`).join(',');

export const TCP_ENEMIES: readonly Enemy[] = [
  { name: 'endless-greeting-lines', ends: ['protocol'], tcp: (socket) => pour(socket, block('welcome to this fine server, please wait\r\n')) },
  { name: 'endless-greeting-line', ends: ['protocol'], tcp: (socket) => pour(socket, block('x')) },
  { name: 'greeting-of-control-codes', ends: ['protocol'], tcp: says(`${POISON.replaceAll('\r\n', '\r')}`, block('\u001b[2J\n', 32 * 1024)) },
  { name: 'greeting-byte-by-byte', ends: ['protocol'], tcp: (socket) => { for (let sent = 0; sent < 20_000; sent += 1) socket.write(sent % 40 === 39 ? '\n' : 'x'); } },
  { name: 'identification-of-control-codes', ends: ['protocol'], tcp: says('SSH-2.0-\u001b[2J\u202e\u009b31m\u0007 \u001b]0;owned\u0007\r\n', block('\u00ff', 64)) },
  { name: 'another-protocol-version', ends: ['protocol'], tcp: says('SSH-1.5-\u001b[31mold\r\n') },
  { name: 'packet-of-four-gigabytes', ends: ['protocol'], tcp: says(IDENTIFICATION, uint32(0xffffffff), block('\u0000', 64)) },
  { name: 'packet-without-length', ends: ['protocol'], tcp: says(IDENTIFICATION, Buffer.alloc(64)) },
  { name: 'packet-with-more-padding-than-packet', ends: ['protocol'], tcp: says(IDENTIFICATION, uint32(12), byte(255), Buffer.alloc(64, 20)) },
  { name: 'offer-that-is-cut-off', ends: ['protocol'], tcp: says(IDENTIFICATION, plainPacket(message(MESSAGE.kexInit, Buffer.alloc(16), uint32(0x7fffffff)))) },
  {
    name: 'offer-of-huge-lists', ends: ['noCommonAlgorithm'],
    tcp: says(IDENTIFICATION, plainPacket(kexInit([longNames('kex-\u001b[31m\u202e'), longNames('key')]))),
  },
  { name: 'offer-of-nothing', ends: ['noCommonAlgorithm'], tcp: says(IDENTIFICATION, plainPacket(kexInit([]))) },
  { name: 'offer-larger-than-a-packet', ends: ['protocol'], tcp: says(IDENTIFICATION, plainPacket(kexInit([longNames('a'.repeat(80))]))) },
  {
    name: 'messages-before-the-offer', ends: ['protocol'],
    tcp: (socket) => {
      socket.write(IDENTIFICATION);
      pour(socket, plainPacket(message(MESSAGE.debug, byte(1), text(POISON.repeat(50)), text(''))));
    },
  },
];
