/** A person is asked once for each secret and before any host; what a variable or a program holds is never asked for, and all of it is hidden. */
import { describe, expect, it } from 'vitest';
import type { AskedSecrets } from '../../src/cli/secrets.js';
import { createSecrets, FAILED_FOR_MS } from '../../src/cli/secrets.js';
import { failureOf } from '../../src/core/failure.js';
import type { SecretRequest, SecretSource } from '../../src/core/secret.js';

const never = new AbortController().signal;

function request(source: SecretSource, label = 'sudo password', name = 'node-1'): SecretRequest {
  return { source, label, host: { name, address: `${name}.example.org`, user: 'ops' } };
}

interface Trial {
  readonly secrets: AskedSecrets;
  readonly asked: string[];
  readonly ran: string[];
  readonly learned: string[];
  readonly most: () => number;
  /** Milliseconds pass. */
  readonly pass: (ms: number) => void;
}

function trial(options: { environment?: NodeJS.ProcessEnv; terminal?: boolean; run?: (argv: readonly string[], stop: AbortSignal) => Promise<string> } = {}): Trial {
  const asked: string[] = [];
  const ran: string[] = [];
  const learned: string[] = [];
  let running = 0;
  let most = 0;
  let nowMs = 1_000;
  const secrets = createSecrets({
    environment: options.environment ?? {},
    ask: options.terminal === false ? undefined : (label) => { asked.push(label); return Promise.resolve(`typed for ${label}`); },
    run: async (argv, _label, stop) => {
      ran.push(argv.join(' '));
      most = Math.max(most, running += 1);
      try {
        return await (options.run ?? ((words) => Promise.resolve(`of ${words.join(' ')}`)))(argv, stop);
      } finally {
        running -= 1;
      }
    },
    learn: (secret) => learned.push(secret),
    clock: { monotonicMs: () => nowMs },
  });
  return { secrets, asked, ran, learned, most: () => most, pass: (ms) => { nowMs += ms; } };
}

describe('a prompt', () => {
  it('asks once for each label, whatever the number of hosts, and gives the same answer again', async () => {
    const { secrets, asked, learned } = trial();
    const hosts = Array.from({ length: 300 }, (_, index) => request({ from: 'prompt' }, 'password of ops', `node-${index}`));
    await secrets.askAhead([...hosts, request({ from: 'prompt' }, 'passphrase of /k')]);
    expect(asked).toEqual(['password of ops', 'passphrase of /k']);
    expect(await secrets.read(hosts[7] as SecretRequest, never)).toBe('typed for password of ops');
    expect(learned).toEqual(['typed for password of ops', 'typed for passphrase of /k']);
  });
  it('is never shown while hosts are worked on', async () => {
    const { secrets, asked } = trial();
    await expect(secrets.read(request({ from: 'prompt' }), never)).rejects.toMatchObject({ failure: { kind: 'authentication', summary: 'no sudo password: nobody was asked for it' } });
    expect(asked).toEqual([]);
  });
  it('asks again when the answer cannot be right, three times in all', async () => {
    const wrong = trial();
    const passphrase = { ...request({ from: 'prompt' }, 'passphrase of /k'), otherwise: 'load it into the agent: ssh-add /k' };
    const failing = wrong.secrets.askAhead([{ ...passphrase, check: () => Promise.resolve(false) }]);
    await expect(failing).rejects.toMatchObject({ failure: { kind: 'badInput', next: 'load it into the agent: ssh-add /k' } });
    expect(wrong.asked).toHaveLength(3);
    const right = trial();
    let tries = 0;
    await right.secrets.askAhead([{ ...passphrase, check: () => Promise.resolve((tries += 1) === 2) }]);
    expect(right.asked).toEqual(['passphrase of /k', 'passphrase of /k (that was not the right one)']);
    expect(await right.secrets.read(passphrase, never)).toBe('typed for passphrase of /k (that was not the right one)');
  });
  it('that something else can stand in for is left out where nobody is there to answer', async () => {
    const { secrets } = trial({ terminal: false });
    await secrets.askAhead([{ ...request({ from: 'prompt' }, 'passphrase of /k'), optional: true }]);
    await expect(secrets.read(request({ from: 'prompt' }, 'passphrase of /k'), never)).rejects.toMatchObject({ failure: { kind: 'authentication' } });
  });
  it('without a terminal names the other ways', async () => {
    const { secrets } = trial({ terminal: false });
    const failure = failureOf(await secrets.askAhead([request({ from: 'prompt' })]).catch((error: unknown) => error));
    expect(failure).toMatchObject({ kind: 'badInput', summary: 'the sudo password is needed, and there is no terminal to ask for it' });
    expect(failure.next).toMatch(/passwordEnv or passwordCommand/);
  });
});

describe('a variable', () => {
  it('is read, and hidden before the first host', async () => {
    const { secrets, asked, learned } = trial({ environment: { P: 'hunter2' } });
    await secrets.askAhead([request({ from: 'env', name: 'P' })]);
    expect(learned).toEqual(['hunter2']);
    expect(await secrets.read(request({ from: 'env', name: 'P' }), never)).toBe('hunter2');
    expect(asked).toEqual([]);
  });
  it('of a host that is perhaps reached is missed when it is', async () => {
    const { secrets } = trial();
    await secrets.askAhead([{ ...request({ from: 'env', name: 'P' }), optional: true }]);
    await expect(secrets.read(request({ from: 'env', name: 'P' }), never)).rejects.toMatchObject({ failure: { summary: 'no sudo password: the variable P is not set' } });
  });
  it.each([['not set', {}], ['empty', { P: '' }]])('that is %s ends the command before anybody is asked', async (what, environment) => {
    const { secrets, asked } = trial({ environment });
    const failure = failureOf(await secrets.askAhead([request({ from: 'prompt' }, 'other'), request({ from: 'env', name: 'P' })]).catch((error: unknown) => error));
    expect(failure).toMatchObject({ kind: 'badInput', summary: `no sudo password: the variable P is ${what}` });
    expect(asked).toEqual([]);
  });
});

describe('a program', () => {
  it('is run once where its words are the same for all hosts, and once a host where they name it', async () => {
    const { secrets, ran, learned } = trial();
    const shared = { from: 'command', argv: ['pass', 'sudo'] } as const;
    const each = { from: 'command', argv: ['pass', 'show', '{user}@{host}', '{address}'] } as const;
    await secrets.askAhead([request(shared), request(each)]);
    expect(ran).toEqual([]);
    expect(await Promise.all(['a', 'b', 'a'].map((name) => secrets.read(request(shared, 'x', name), never)))).toEqual(['of pass sudo', 'of pass sudo', 'of pass sudo']);
    expect(await secrets.read(request(each, 'x', 'a'), never)).toBe('of pass show ops@a a.example.org');
    await secrets.read(request(each, 'x', 'b'), never);
    await secrets.read(request(each, 'x', 'a'), never);
    expect(ran).toEqual(['pass sudo', 'pass show ops@a a.example.org', 'pass show ops@b b.example.org']);
    expect(learned).toHaveLength(3);
  });
  it.each(['somebody', 'nobody'])('that gave its secret is not run again, when %s gave up before that and others after it', async (who) => {
    let give: ((secret: string) => void) | undefined;
    const { secrets, ran } = trial({ run: () => (give ? Promise.resolve('run again') : new Promise((resolve) => { give = resolve; })) });
    const read = (signal: AbortSignal): Promise<string> => secrets.read(request({ from: 'command', argv: ['vault'] }), signal);
    const impatient = new AbortController();
    const [first, second] = [read(impatient.signal), read(never)];
    await new Promise((resolve) => { setImmediate(resolve); });
    if (who === 'somebody') {
      impatient.abort();
      await expect(first).rejects.toMatchObject({ failure: { kind: 'interrupted' } });
    }
    give?.('x');
    expect(await second).toBe('x');
    for (let late = 0; late < 3; late += 1) await expect(read(AbortSignal.abort())).rejects.toMatchObject({ failure: { kind: 'interrupted' } });
    expect(await read(never)).toBe('x');
    expect(ran).toEqual(['vault']);
  });
  it('at most eight run at once', async () => {
    const { secrets, most, ran } = trial({ run: () => new Promise((resolve) => { setImmediate(() => { resolve('x'); }); }) });
    await Promise.all(Array.from({ length: 40 }, (_, index) => secrets.read(request({ from: 'command', argv: ['{host}'] }, 'x', `n${index}`), never)));
    expect(ran).toHaveLength(40);
    expect(most()).toBe(8);
  });
  it('that fails is run once for all who ask at that time, and again for who asks later: the store may be open by then', async () => {
    let sealed = true;
    const { secrets, ran, pass } = trial({ run: () => (sealed ? Promise.reject(new Error('sealed')) : Promise.resolve('open now')) });
    const read = (): Promise<string> => secrets.read(request({ from: 'command', argv: ['vault'] }), never);
    const fleet = await Promise.allSettled(Array.from({ length: 300 }, read));
    expect(fleet.every(({ status }) => status === 'rejected')).toBe(true);
    pass(FAILED_FOR_MS - 1);
    await expect(read()).rejects.toThrow('sealed');
    expect(ran).toEqual(['vault']);
    sealed = false;
    pass(1);
    expect(await Promise.all([read(), read()])).toEqual(['open now', 'open now']);
    pass(10 * FAILED_FOR_MS);
    expect(await read()).toBe('open now');
    expect(ran).toEqual(['vault', 'vault']);
  });
  it('goes on while somebody waits, and is stopped when nobody does', async () => {
    let stopped = false;
    const { secrets, ran } = trial({ run: (_, stop) => new Promise((_resolve, reject) => { stop.addEventListener('abort', () => { stopped = true; reject(new Error('stopped')); }); }) });
    const [first, second] = [new AbortController(), new AbortController()];
    const source = { from: 'command', argv: ['slow'] } as const;
    const waiting = [first, second].map(({ signal }) => secrets.read(request(source), signal).catch((error: unknown) => failureOf(error).kind));
    await new Promise((resolve) => { setImmediate(resolve); });
    first.abort();
    await waiting[0];
    expect(stopped).toBe(false);
    second.abort();
    expect(await Promise.all(waiting)).toEqual(['interrupted', 'interrupted']);
    expect(stopped).toBe(true);
    expect(ran).toEqual(['slow']);
  });
});
