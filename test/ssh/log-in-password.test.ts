/** When a password is sent, to whom, how often, and what is said when it is not. */
import { describe, expect, it } from 'vitest';
import type { Trial } from '../../src/core/password-trials.js';
import { createLogin } from '../../src/ssh/log-in.js';
import type { Login } from '../../src/ssh/log-in.js';
import { usePassword } from '../../src/ssh/password-login.js';
import type { PasswordUse } from '../../src/ssh/password-login.js';
import type { Server } from './login-stage.js';
import { MORE, NO, YES, asks, credentials, hop, key, knows, nameOf, remembering, run } from './login-stage.js';

describe('a password', () => {
  it('is sent after the keys, by the first method that the server has', async () => {
    const { requests } = await run({ keys: [key('a')], password: 'x' }, (request) => (request === 'password' ? YES : NO('publickey', 'keyboard-interactive', 'password')));
    expect(requests).toEqual(['publickey? a', 'password']);
  });

  it('alone makes the server say first what it takes', async () => {
    const server: Server = (request) => ({ none: NO('keyboard-interactive'), 'keyboard-interactive': asks(['Password: ', false]), 'answers 1': YES })[request];
    expect((await run({ password: 'x' }, server)).requests).toEqual(['none', 'keyboard-interactive', 'answers 1']);
  });

  it('that is refused by one method is not sent by the other', async () => {
    const { requests, failure } = await run({ password: 'x' }, () => NO('password', 'keyboard-interactive'));
    expect(requests).toEqual(['none', 'password']);
    expect(failure).toMatchObject({ kind: 'authentication', summary: expect.stringContaining('the password was refused') as string });
  });

  it('goes by the other method where the first one asks for nothing', async () => {
    const at = hop('10.0.0.1', { methods: ['keyboard-interactive', 'password'] });
    const server: Server = (request) => (request === 'password' ? YES : NO('password', 'keyboard-interactive'));
    expect((await run({ password: 'x', at }, server)).requests).toEqual(['none', 'keyboard-interactive', 'password']);
  });

  it.each<[string, readonly [string, boolean][]]>([
    ['shows what is typed', [['User: ', true]]], ['asks two things', [['Password: ', false], ['Code: ', false]]],
  ])('is not given to a server that %s', async (_what, prompts) => {
    const server: Server = (request) => ({ none: NO('keyboard-interactive'), 'keyboard-interactive': asks(...prompts) })[request];
    const { requests, failure } = await run({ password: 'x' }, server);
    expect(requests).toEqual(['none', 'keyboard-interactive']);
    expect(failure?.summary).toContain(`it asks "${prompts.map(([prompt]) => prompt.trim()).join(' ')}"`);
  });

  it('is given once to a server that asks again, and what it asks is harmless on a terminal', async () => {
    const server: Server = (request) => (request === 'none' ? NO('keyboard-interactive') : asks(['\u001b[2JPassword: ', false]));
    const { requests, failure } = await run({ password: 'x' }, server);
    expect(requests).toEqual(['none', 'keyboard-interactive', 'answers 1']);
    expect(failure?.summary).toContain('it asks "[2JPassword:"');
  });

  it('waits for the end of no endless conversation', async () => {
    const { requests, failure } = await run({ password: 'x' }, (request) => (request === 'none' ? NO('keyboard-interactive') : asks()));
    expect([requests.length, failure?.kind]).toEqual([12, 'authentication']);
    expect(failure?.summary).toContain('it asks without end');
  });

  it.each([
    'Password: ', 'password for tester:', "(tester@node) tester's password: ", 'Passwort: ', 'Kennwort: ', 'Mot de passe : ', 'Contraseña: ', 'Senha: ', 'Пароль: ', '密码：', 'パスワード:', 'Hasło: ',
    'Wachtwoord: ', 'Lösenord: ', 'Heslo: ', '', '  ',
  ])('is given to a server that asks %j, without showing what is typed', async (prompt) => {
    const server: Server = (request) => ({ none: NO('keyboard-interactive'), 'keyboard-interactive': asks([prompt, false]), 'answers 1': YES })[request];
    expect((await run({ password: 'x' }, server)).isIn).toBe(true);
  });

  it.each([
    'Verification code: ', 'One-time password (OATH) for `tester\': ', 'Password & verification code: ', 'Enter OTP password: ', 'Token password: ', 'Passcode or option (1-3): ', 'New password: ', 'PIN: ',
  ])('is not given to a server that asks %j, and counts as not sent', async (prompt) => {
    const memory = remembering();
    const server: Server = (request) => (request === 'none' ? NO('keyboard-interactive') : asks([prompt, false]));
    for (let again = 0; again < 2; again += 1) {
      const { requests, failure } = await run({ password: 'x', memory }, server);
      expect(requests).toEqual(['none', 'keyboard-interactive']);
      expect(failure?.summary).toContain(`it asks "${prompt.trim()}"`);
    }
  });

  it('that was sent and not answered for is told so', async () => {
    const memory = remembering();
    await run({ password: 'x', memory }, (request) => (request === 'none' ? NO('password') : 'lost'));
    const { failure } = await run({ password: 'x', memory }, () => NO('password'));
    expect(failure?.summary).toContain('got the password of tester before and did not answer in time; it is not sent again');
  });

  it('that a machine refused goes to another one with the same address behind another jump host', async () => {
    const memory = remembering();
    const behind = (address: string): PasswordUse => usePassword({ jumps: [hop(address)], target: hop() }, () => Promise.resolve('x'), memory);
    (await behind('10.9.0.1').begin()).end('refused');
    expect([(await behind('10.9.0.1').refusal())?.kind, await behind('10.9.0.2').refusal()]).toEqual(['authentication', undefined]);
  });

  it('is asked for when it is needed, and while it waits no time limit runs', async () => {
    const memory = remembering();
    let reads = 0;
    let give: (word: string) => void = () => undefined;
    const password = usePassword({ jumps: [], target: hop() }, () => {
      reads += 1;
      return new Promise((resolve) => (give = resolve));
    }, memory);
    const login = createLogin(hop(), { ...credentials({ keys: [key('a')] }), password });
    const requests: string[] = [];
    const pauses: string[] = [];
    const session = login.begin({ sessionId: () => Buffer.alloc(0), serverSignatures: () => undefined, send: (payload, method) => requests.push(nameOf(payload, method)) }, () => undefined, () => {
      pauses.push('begin');
      return () => pauses.push('end');
    });
    session.start();
    expect(reads).toBe(0);
    session.onAnswer(NO('password'));
    expect([reads, pauses]).toEqual([1, ['begin']]);
    give('x');
    await new Promise((resolve) => setImmediate(resolve));
    expect([pauses, requests, login.underWay]).toEqual([['begin', 'end'], ['publickey? a', 'password'], 'password']);
  });

  it('whose server hangs up while it waits for its turn goes over a new connection, with its turn', async () => {
    const memory = remembering();
    const others = await Promise.all(['1', '2', '3'].map((last) => usePassword({ jumps: [], target: hop(`10.0.9.${last}`) }, () => Promise.resolve('x'), memory).begin()));
    const login = createLogin(hop(), credentials({ password: 'x', memory }));
    const requests: string[] = [];
    const begin = (): ReturnType<Login['begin']> =>
      login.begin({ sessionId: () => Buffer.alloc(0), serverSignatures: () => undefined, send: (payload, method) => requests.push(nameOf(payload, method)) }, () => undefined);
    const first = begin();
    first.start();
    first.onAnswer(NO('password'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(login.ended(true)).toBe(true);
    others[0]?.end('unsent');
    await login.ready();
    const second = begin();
    second.start();
    second.onAnswer(NO('password'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(requests).toEqual(['none', 'none', 'password']);
  });

  it('that waits for its turn and is given up leaves the turn to others', async () => {
    const memory = remembering();
    const turnAt = (last: string): Promise<Trial> => usePassword({ jumps: [], target: hop(`10.0.9.${last}`) }, () => Promise.resolve('x'), memory).begin();
    const others = await Promise.all(['1', '2', '3'].map(turnAt));
    const login = createLogin(hop(), credentials({ password: 'x', memory }));
    const session = login.begin({ sessionId: () => Buffer.alloc(0), serverSignatures: () => undefined, send: () => undefined }, () => undefined);
    session.start();
    session.onAnswer(NO('password'));
    await new Promise((resolve) => setImmediate(resolve));
    login.ended(false);
    login.close();
    others[0]?.end('unsent');
    expect(await turnAt('4')).toHaveProperty('end');
  });

  it('that has expired is said to be', async () => {
    const { failure } = await run({ password: 'x' }, (request) => (request === 'none' ? NO('password') : { answer: 'passwordExpired' }));
    expect(failure?.summary).toContain('the password has expired');
  });

  it.each(['goodbye', 'lost'] as const)('that was sent when the connection ended (%s) is never sent there again', async (end) => {
    const memory = remembering();
    const server: Server = (request) => (request === 'none' ? NO('password') : end);
    expect(await run({ password: 'x', memory }, server)).toMatchObject({ requests: ['none', 'password'], isIn: false, connections: 1 });
    expect((await run({ password: 'x', memory }, server)).requests).toEqual(['none']);
  });

  it('that is wrong reaches three hosts of a fleet, however many log in at once', async () => {
    const memory = remembering();
    const outcomes = await Promise.all(Array.from({ length: 30 }, (_, index) => run({ password: 'x', memory, at: hop(`10.0.1.${index}`) }, () => NO('password'))));
    expect(outcomes.filter(({ requests }) => requests.includes('password'))).toHaveLength(3);
    expect(outcomes.at(-1)?.failure?.summary).toContain('3 hosts refused it (node-1, node-1, node-1)');
  });

  it('goes first where it worked before', async () => {
    const memory = remembering();
    const server: Server = (request) => (request === 'password' ? YES : NO('publickey', 'password'));
    await run({ keys: [key('a')], password: 'x', memory }, server);
    expect((await run({ keys: [key('a')], password: 'x', memory }, server)).requests).toEqual(['none', 'password']);
  });

  it('first and a key second: the key was not refused before', async () => {
    const server: Server = (request, count) => {
      if (request === 'password') return MORE('publickey');
      return count === 1 ? NO('password') : knows('a')(request, count);
    };
    expect((await run({ keys: [key('a')], password: 'x' }, server)).requests).toEqual(['publickey? a', 'password', 'publickey? a', 'publickey! a']);
  });
});
