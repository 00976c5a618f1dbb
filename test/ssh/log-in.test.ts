/** Which keys are offered, in which order and over how many connections; and what a server may not do. */
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/core/failure.js';
import { createLogin } from '../../src/ssh/log-in.js';
import type { ServerAnswer } from '../../src/ssh/user-auth-messages.js';
import type { Server } from './login-stage.js';
import { MORE, NO, YES, asks, connect, credentials, hop, key, knows, nameOf, run } from './login-stage.js';

describe('keys', () => {
  it('are asked about one after the other, and only the one that is known is signed', async () => {
    expect((await run({ keys: [key('a'), key('b'), key('c')] }, knows('b'))).requests).toEqual(['publickey? a', 'publickey? b', 'publickey! b']);
  });

  it('are signed at once where that was decided', async () => {
    expect((await run({ keys: [key('a')], signsAtOnce: true }, knows('a'))).requests).toEqual(['publickey! a']);
  });

  it('that cannot sign here are passed over', async () => {
    const broken = key('a', 'ssh-ed25519', () => Promise.reject(new Error('no device')));
    const { requests, isIn } = await run({ keys: [broken, key('b')] }, knows('a', 'b'));
    expect([requests, isIn]).toEqual([['publickey? a', 'publickey? b', 'publickey! b'], true]);
  });

  it('that are all refused end in one failure that names them', async () => {
    const { failure } = await run({ keys: [key('a'), key('b')] }, knows());
    expect(failure).toMatchObject({ kind: 'authentication', detail: 'tried: a\ntried: b', summary: expect.stringContaining('none of 2 keys was accepted') as string });
  });

  it.each([
    ['goodbye', 'goodbye', ['publickey? a', 'publickey? b', 'publickey! b'], 2],
    ['no word', 'lost', ['publickey? a', 'publickey? b', 'publickey! b'], 2],
  ] as const)('go on over a new connection when the server ends one with %s', async (_how, end, requests, connections) => {
    const server: Server = (request, count) => (count === 1 ? end : knows('b')(request, count));
    expect(await run({ keys: [key('a'), key('b')] }, server)).toMatchObject({ requests, isIn: true, connections });
  });

  it('of which nobody said that it was refused have another chance, after the others', async () => {
    const server: Server = (request, count) => (count === 1 ? 'lost' : knows('a')(request, count));
    expect((await run({ keys: [key('a'), key('b')] }, server)).requests).toEqual(['publickey? a', 'publickey? b', 'publickey? a', 'publickey! a']);
    expect((await run({ keys: [key('a'), key('b')] }, (request, count) => (count === 1 ? 'goodbye' : knows('a')(request, count)))).isIn).toBe(false);
  });

  it('go on over four connections at most, whatever the server does', async () => {
    for (const end of ['goodbye', 'lost'] as const) {
      const { requests, isIn, connections } = await run({ keys: Array.from({ length: 9 }, (_, index) => key(`k${index}`)) }, () => end);
      expect([requests.length, isIn, connections]).toEqual([4, false, 4]);
    }
  });

  it('have all four connections, however many were made to ask for another host key', async () => {
    const offered = { keys: Array.from({ length: 9 }, (_, index) => key(`k${index}`)) };
    const login = createLogin(hop(), credentials(offered));
    for (let asked = 0; asked < 3; asked += 1) login.begin({ sessionId: () => Buffer.alloc(0), serverSignatures: () => undefined, send: () => undefined }, () => undefined);
    const requests: string[] = [];
    while (await connect(login, () => 'goodbye', requests).then(() => login.ended(true)));
    expect(requests).toHaveLength(4);
  });

  it('that were right and not enough are not sent twice over one connection', async () => {
    const server: Server = (request, count) => (request === 'publickey! a' ? MORE('publickey') : knows('a', 'b')(request, count));
    const made = credentials({ keys: [key('a'), key('b')] });
    const { requests, isIn } = await run({}, server, undefined, made);
    expect([requests, isIn, made.worked]).toEqual([['publickey? a', 'publickey! a', 'publickey? b', 'publickey! b'], true, ['a', 'b']]);
  });

  it.each<[string, ServerAnswer]>([
    ['accepts a key that was not offered', { answer: 'keyAccepted', blob: Buffer.from('other') }], ['asks a question instead', asks(['Password: ', false])],
  ])('of a server that %s are not signed', async (_what, answer) => {
    const { failure, requests } = await run({ keys: [key('a')] }, () => answer);
    expect([failure?.kind, requests]).toEqual(['protocol', ['publickey? a']]);
  });

  it.each([
    ['says that it takes both', ['rsa-sha2-256', 'rsa-sha2-512'], undefined, 'rsa-sha2-512'], ['takes the older one', ['ssh-rsa', 'rsa-sha2-256'], undefined, 'rsa-sha2-256'],
    ['says nothing', undefined, undefined, 'rsa-sha2-512'], ['says nothing, where old algorithms are allowed', undefined, ['rsa-sha2-512', 'ssh-rsa'], 'ssh-rsa'],
    ['takes better, where old algorithms are allowed', ['rsa-sha2-512'], ['rsa-sha2-512', 'ssh-rsa'], 'rsa-sha2-512'],
  ])('of type RSA: a server that %s gets the best signature it knows', async (_what, server, allowed, wanted) => {
    const at = hop('10.0.0.1', allowed ? { signatures: allowed } : {});
    expect((await run({ keys: [key('a', 'ssh-rsa')], at }, () => NO('publickey'), server)).requests).toEqual([`publickey? a ${wanted}`]);
  });

  it('of type RSA are not offered to a server that takes SHA-1 only', async () => {
    const { requests, failure } = await run({ keys: [key('a', 'ssh-rsa')] }, () => YES, ['ssh-rsa', 'ssh-dss']);
    expect([requests, failure?.kind]).toEqual([[], 'authentication']);
  });
});

it('a server that wants something else says what it would be, and what helps', async () => {
  expect((await run({ keys: [key('a')] }, () => NO('password'))).failure).toMatchObject({ summary: expect.stringContaining('only: password') as string, next: expect.stringContaining('--ask-password') as string });
});

it('a server that answers before it was asked breaks the protocol', () => {
  let failure: Failure | undefined;
  const session = createLogin(hop(), credentials({ keys: [key('a')] })).begin({ sessionId: () => Buffer.alloc(0), serverSignatures: () => undefined, send: () => undefined }, (reason) => (failure = reason));
  session.onAnswer(NO('publickey'));
  expect(failure?.kind).toBe('protocol');
});

it('what comes after the end of a connection is not looked at, and what was signed too late is not sent', async () => {
  let finish: (signature: Buffer) => void = () => undefined;
  const slow = key('a', 'ssh-ed25519', () => new Promise((resolve) => (finish = resolve)));
  const login = createLogin(hop(), credentials({ keys: [slow, key('b')], signsAtOnce: true }));
  const requests: string[] = [];
  const failures: Failure[] = [];
  const session = login.begin({ sessionId: () => Buffer.alloc(0), serverSignatures: () => undefined, send: (payload, method) => requests.push(nameOf(payload, method)) }, (failure) => failures.push(failure));
  session.start();
  expect(login.ended(true)).toBe(true);
  session.onAnswer(NO('publickey'));
  finish(Buffer.from('signature'));
  await new Promise((resolve) => setImmediate(resolve));
  expect([requests, failures]).toEqual([[], []]);
});
