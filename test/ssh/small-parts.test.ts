/** The pure and small parts: cleaning text, reading a server's offer, the gate, the resolver. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cleanText } from '../../src/core/clean-text.js';
import { algorithmsFor, OFFER } from '../../src/ssh/algorithms.js';
import { createGate } from '../../src/ssh/gate.js';
import { createCachedResolver } from '../../src/ssh/resolve-address.js';
import { missingCategory, readServerOpening } from '../../src/ssh/server-offer.js';
import { never } from './lab.js';
import { createSignal } from './scratch.js';

it.each([
  ['a\u0000b\u0007c\u001b[31md', 'abc[31md'],
  ['line\nnext\tcell\r', 'line\nnext\tcell'],
  ['\u007f\u0080\u009bx', 'x'],
  ['\u202egnp.exe\u202c \u2066y\u2069\u200e\u200f\u061c', 'gnp.exe y'],
  ['\ud800a\udc00', 'a'],
  ['Zażółć 日本 👩‍🚀 e\u0301', 'Zażółć 日本 👩‍🚀 e\u0301'],
])('%j is cleaned to %j', (dirty, clean) => {
  expect(cleanText(dirty)).toBe(clean);
});

it('clean text stays as it is and is always valid', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const clean = cleanText(text);
      expect(cleanText(clean)).toBe(clean);
      expect(Buffer.from(clean, 'utf8').toString('utf8')).toBe(clean);
    }),
  );
});

it('nothing that freezes or weakens a connection is offered', () => {
  const offered = Object.values(algorithmsFor(OFFER, { types: new Set(), certificates: true })).flat().join(' ');
  expect(offered).not.toMatch(/group-exchange|sha1|cbc|zlib|ssh-rsa|ssh-dss|3des|arcfour|md5/);
});

it('known host key types are asked for first', () => {
  expect(algorithmsFor(OFFER, { types: new Set(['ssh-rsa', 'ecdsa-sha2-nistp384']), certificates: false }).serverHostKey).toEqual([
    'ecdsa-sha2-nistp384', 'rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp521',
  ]);
});

function nameList(names: readonly string[]): Buffer {
  const text = Buffer.from(names.join(','));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text]);
}

function packet(payload: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length + 1 + 4);
  head.writeUInt8(4, 4);
  return Buffer.concat([head, payload, Buffer.alloc(4)]);
}

function kexInit(kex: readonly string[], ciphers: readonly string[] = ['aes128-ctr']): Buffer {
  const lists = [kex, ['ssh-ed25519'], ciphers, ciphers, ['hmac-sha2-256'], ['hmac-sha2-256'], ['none'], ['none'], [], []];
  return packet(Buffer.concat([Buffer.from([20]), Buffer.alloc(16), ...lists.map(nameList), Buffer.alloc(5)]));
}

const banner = Buffer.from('SSH-2.0-Test\r\n');
const strict = ['curve25519-sha256', 'kex-strict-s-v00@openssh.com'];
const ignore = packet(Buffer.concat([Buffer.from([2]), nameList(['x'])]));

it('a server offer is read from its first bytes', () => {
  const opening = readServerOpening(Buffer.concat([Buffer.from('hello\r\n'), banner, kexInit(strict)]));
  expect(opening).toMatchObject({ greeting: 'hello\r\n', offer: { strictKex: true, kex: strict, hostKeys: ['ssh-ed25519'], ciphers: ['aes128-ctr'], compression: ['none'] } });
});

it('key exchange is strict only when nothing came before', () => {
  expect(readServerOpening(Buffer.concat([banner, ignore, kexInit(strict)])).offer).toMatchObject({ strictKex: false, kex: strict });
  expect(readServerOpening(Buffer.concat([banner, kexInit(['curve25519-sha256'])])).offer?.strictKex).toBe(false);
});

it('any cut or noise is read without an offer and without an exception', () => {
  const whole = Buffer.concat([banner, kexInit(strict)]);
  for (let length = 0; length < whole.length - 4; length += 1) expect(readServerOpening(whole.subarray(0, length)).offer).toBeUndefined();
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void readServerOpening(Buffer.concat([banner, Buffer.from(bytes)]))));
});

it('what is missing is found in the order of negotiation', () => {
  const offers = (kex: string[], ciphers: string[]) => readServerOpening(Buffer.concat([banner, kexInit(kex, ciphers)])).offer ?? OFFER;
  expect(missingCategory(OFFER, offers(['curve25519-sha256'], ['aes128-ctr']))).toBeUndefined();
  expect(missingCategory(OFFER, offers(['diffie-hellman-group-exchange-sha256'], ['aes128-ctr']))).toBe('kex');
  expect(missingCategory(OFFER, offers(['curve25519-sha256'], ['3des-cbc']))).toBe('ciphers');
  const onlySha1 = { ...OFFER, macs: ['hmac-sha1'] };
  expect(missingCategory(OFFER, { ...onlySha1, ciphers: ['aes128-ctr'] })).toBe('macs');
  expect(missingCategory(OFFER, { ...onlySha1, ciphers: ['aes128-gcm@openssh.com'] })).toBeUndefined();
});

it('a gate admits in order, never more than its limit, and goes on after a failure', async () => {
  const gate = createGate(2);
  const doors = Array.from({ length: 5 }, () => createSignal());
  const started: number[] = [];
  let running = 0;
  const work = doors.map((door, index) =>
    gate.run(async () => {
      started.push(index);
      running += 1;
      expect(running).toBeLessThanOrEqual(2);
      await door.happened;
      running -= 1;
      if (index === 1) throw new Error('work failed');
      return index;
    }, never),
  );
  const settled = Promise.allSettled(work);
  for (const door of [...doors].reverse()) door.tell();
  expect((await settled).map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  expect(started).toEqual([0, 1, 2, 3, 4]);
});

it('an aborted wait gives its place in the queue away', async () => {
  const gate = createGate(1);
  const door = createSignal();
  const first = gate.run(() => door.happened, never);
  const controller = new AbortController();
  const second = gate.run(() => Promise.reject(new Error('must not run')), controller.signal);
  const third = gate.run(() => Promise.resolve('third'), never);
  controller.abort(new Error('enough'));
  await expect(second).rejects.toThrow('enough');
  door.tell();
  await first;
  expect(await third).toBe('third');
});

it('a name is asked once a minute, a failure is not remembered, an address is not asked at all', async () => {
  let nowMs = 0;
  const asked: string[] = [];
  const resolve = createCachedResolver((name) => {
    asked.push(name);
    return asked.length === 1 ? Promise.reject(new Error('try again')) : Promise.resolve([`10.0.0.${asked.length}`]);
  }, () => nowMs);
  await expect(resolve('db')).rejects.toThrow('try again');
  expect(await resolve('db')).toEqual(['10.0.0.2']);
  nowMs = 59_000;
  expect(await resolve('db')).toEqual(['10.0.0.2']);
  nowMs = 61_000;
  expect(await resolve('db')).toEqual(['10.0.0.3']);
  expect(await resolve('fd00::1')).toEqual(['fd00::1']);
  expect(asked).toEqual(['db', 'db', 'db']);
});
