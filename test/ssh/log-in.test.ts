/** What one login sends for what a server answers, however strange. The server is a function from requests to answers. */
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/core/failure.js';
import { createPasswordTrials } from '../../src/core/password-trials.js';
import type { Trial } from '../../src/core/password-trials.js';
import type { HopCredentials } from '../../src/ssh/credentials.js';
import type { Identity } from '../../src/ssh/identities.js';
import { createLogin } from '../../src/ssh/log-in.js';
import type { Login } from '../../src/ssh/log-in.js';
import { usePassword } from '../../src/ssh/password-login.js';
import type { PasswordMemory, PasswordUse } from '../../src/ssh/password-login.js';
import { plainRoute } from './plain-route.js';
import type { Hop } from '../../src/ssh/route.js';
import type { ServerAnswer } from '../../src/ssh/user-auth-messages.js';
import { readWire } from '../../src/ssh/wire.js';
import { hostAt } from './scratch.js';

/** `publickey? one`, `publickey! one`, `password`, `keyboard-interactive`, `none`, `answers 1`. */
type Server = (request: string, count: number) => ServerAnswer | 'goodbye' | 'lost' | undefined;

const NO = (...methods: readonly string[]): ServerAnswer => ({ answer: 'failure', methods, partial: false });
const MORE = (...methods: readonly string[]): ServerAnswer => ({ answer: 'failure', methods, partial: true });
const YES: ServerAnswer = { answer: 'success' };
const asks = (...prompts: readonly [string, boolean][]): ServerAnswer => ({ answer: 'asks', prompts: prompts.map(([prompt, echo]) => ({ prompt, echo })) });

function remembering(): PasswordMemory {
  return { trials: createPasswordTrials(), workedAt: new Set() };
}

function hop(address = '10.0.0.1', extra: Partial<Hop['login']> = {}): Hop {
  const { target } = plainRoute(hostAt(22, { address }), { hostKeys: 'strict', knownHostsFiles: [], defaultIdentityFiles: [] });
  return { ...target, login: { ...target.login, ...extra } };
}

function key(name: string, keyType = 'ssh-ed25519', sign = (): Promise<Buffer> => Promise.resolve(Buffer.from('signature'))): Identity {
  const blob = Buffer.from(name);
  return { label: name, blob, isCertificate: false, signer: { keyType, publicBlob: blob, origin: 'test', sign } };
}

interface Offered {
  readonly keys?: readonly Identity[];
  readonly password?: string;
  readonly memory?: PasswordMemory;
  readonly at?: Hop;
  readonly signsAtOnce?: boolean;
}

function credentials({ keys = [], password, memory = remembering(), at = hop(), signsAtOnce = false }: Offered): HopCredentials & { readonly worked: string[] } {
  const worked: string[] = [];
  return {
    identities: keys, remarks: [], worked, signsAtOnce: () => signsAtOnce, keyWorked: ({ label }) => worked.push(label),
    ...(password === undefined ? {} : { password: usePassword({ jumps: [], target: at }, () => Promise.resolve(password), memory) }),
  };
}

interface Outcome {
  readonly requests: readonly string[];
  readonly isIn: boolean;
  readonly failure?: Failure;
  readonly connections: number;
}

function nameOf(payload: Buffer, method: string): string {
  if (payload[0] === 61) return `answers ${payload.readUInt32BE(1)}`;
  if (method !== 'publickey') return method;
  return readWire(payload.subarray(1), (reader) => {
    for (let skipped = 0; skipped < 3; skipped += 1) reader.string();
    return `publickey${reader.byte() === 1 ? '!' : '?'} ${[reader.text(), reader.text()].reverse().join(' ').replace(' ssh-ed25519', '')}`;
  }) ?? '';
}

/** Over as many connections as the login wants. */
async function run(offered: Offered, server: Server, signatures?: readonly string[], made?: HopCredentials): Promise<Outcome> {
  const at = offered.at ?? hop();
  const login: Login = createLogin(at, made ?? credentials({ ...offered, at }));
  const requests: string[] = [];
  for (let connections = 1; ; connections += 1) {
    const end = await connect(login, server, requests, signatures);
    if (end === 'in') return { requests, isIn: true, connections };
    const goesOn = login.ended(end === 'goodbye');
    if (typeof end === 'object') return { requests, isIn: false, failure: end, connections };
    if (!goesOn) return { requests, isIn: false, connections };
  }
}

function connect(login: Login, server: Server, requests: string[], signatures?: readonly string[]): Promise<'in' | 'goodbye' | 'lost' | Failure> {
  return new Promise((resolve) => {
    const session = login.begin({
      sessionId: () => Buffer.from('session'), serverSignatures: () => signatures,
      send(payload, method) {
        const name = nameOf(payload, method);
        requests.push(name);
        const answer = server(name, requests.length);
        queueMicrotask(() => {
          if (answer === 'goodbye' || answer === 'lost') return resolve(answer);
          if (answer === undefined) return;
          session.onAnswer(answer);
          if (answer.answer === 'success') resolve('in');
        });
      },
    }, resolve);
    session.start();
  });
}

/** A server that knows these keys. */
const knows = (...names: readonly string[]): Server => (request) => {
  const [method = '', name = ''] = request.split(' ');
  if (!names.includes(name)) return NO('publickey');
  return method === 'publickey?' ? { answer: 'keyAccepted', blob: Buffer.from(name) } : YES;
};

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
