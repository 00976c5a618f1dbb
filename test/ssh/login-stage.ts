/** A login played against a server that answers as it is told: no socket, no ssh2. */
import type { Failure } from '../../src/core/failure.js';
import { createPasswordTrials } from '../../src/core/password-trials.js';
import type { HopCredentials } from '../../src/ssh/credentials.js';
import type { Identity } from '../../src/ssh/identities.js';
import { createLogin } from '../../src/ssh/log-in.js';
import type { Login } from '../../src/ssh/log-in.js';
import { usePassword } from '../../src/ssh/password-login.js';
import type { PasswordMemory } from '../../src/ssh/password-login.js';
import { plainRoute } from './plain-route.js';
import type { Hop } from '../../src/ssh/route.js';
import type { ServerAnswer } from '../../src/ssh/user-auth-messages.js';
import { readWire } from '../../src/ssh/wire.js';
import { hostAt } from './scratch.js';

/** `publickey? one`, `publickey! one`, `password`, `keyboard-interactive`, `none`, `answers 1`. */
export type Server = (request: string, count: number) => ServerAnswer | 'goodbye' | 'lost' | undefined;

export const NO = (...methods: readonly string[]): ServerAnswer => ({ answer: 'failure', methods, partial: false });
export const MORE = (...methods: readonly string[]): ServerAnswer => ({ answer: 'failure', methods, partial: true });
export const YES: ServerAnswer = { answer: 'success' };
export const asks = (...prompts: readonly [string, boolean][]): ServerAnswer => ({ answer: 'asks', prompts: prompts.map(([prompt, echo]) => ({ prompt, echo })) });

export function remembering(): PasswordMemory {
  return { trials: createPasswordTrials(), workedAt: new Set() };
}

export function hop(address = '10.0.0.1', extra: Partial<Hop['login']> = {}): Hop {
  const { target } = plainRoute(hostAt(22, { address }), { hostKeys: 'strict', knownHostsFiles: [], defaultIdentityFiles: [] });
  return { ...target, login: { ...target.login, ...extra } };
}

export function key(name: string, keyType = 'ssh-ed25519', sign = (): Promise<Buffer> => Promise.resolve(Buffer.from('signature'))): Identity {
  const blob = Buffer.from(name);
  return { label: name, blob, isCertificate: false, signer: { keyType, publicBlob: blob, origin: 'test', sign } };
}

export interface Offered {
  readonly keys?: readonly Identity[];
  readonly password?: string;
  readonly memory?: PasswordMemory;
  readonly at?: Hop;
  readonly signsAtOnce?: boolean;
}

export function credentials({ keys = [], password, memory = remembering(), at = hop(), signsAtOnce = false }: Offered): HopCredentials & { readonly worked: string[] } {
  const worked: string[] = [];
  return {
    identities: keys, remarks: [], worked, signsAtOnce: () => signsAtOnce, keyWorked: ({ label }) => worked.push(label),
    ...(password === undefined ? {} : { password: usePassword({ jumps: [], target: at }, () => Promise.resolve(password), memory) }),
  };
}

export interface Outcome {
  readonly requests: readonly string[];
  readonly isIn: boolean;
  readonly failure?: Failure;
  readonly connections: number;
}

export function nameOf(payload: Buffer, method: string): string {
  if (payload[0] === 61) return `answers ${payload.readUInt32BE(1)}`;
  if (method !== 'publickey') return method;
  return readWire(payload.subarray(1), (reader) => {
    for (let skipped = 0; skipped < 3; skipped += 1) reader.string();
    return `publickey${reader.byte() === 1 ? '!' : '?'} ${[reader.text(), reader.text()].reverse().join(' ').replace(' ssh-ed25519', '')}`;
  }) ?? '';
}

/** Over as many connections as the login wants. */
export async function run(offered: Offered, server: Server, signatures?: readonly string[], made?: HopCredentials): Promise<Outcome> {
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

export function connect(login: Login, server: Server, requests: string[], signatures?: readonly string[]): Promise<'in' | 'goodbye' | 'lost' | Failure> {
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
export const knows = (...names: readonly string[]): Server => (request) => {
  const [method = '', name = ''] = request.split(' ');
  if (!names.includes(name)) return NO('publickey');
  return method === 'publickey?' ? { answer: 'keyAccepted', blob: Buffer.from(name) } : YES;
};
