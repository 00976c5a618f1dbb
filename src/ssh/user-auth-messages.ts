/** What the two sides of a login say to each other (RFC 4252, RFC 4256), as values and as bytes. Pure. */
import type { SignatureAlgorithm } from './signature-algorithms.js';
import type { Prompt } from './password-login.js';
import { sshString, uint32 } from './wire.js';

export type ServerAnswer =
  /** `partial`: that was right, and not enough. */
  | { readonly answer: 'failure'; readonly methods: readonly string[]; readonly partial: boolean }
  /** It would take a signature of this key. */
  | { readonly answer: 'keyAccepted'; readonly blob: Buffer }
  | { readonly answer: 'asks'; readonly prompts: readonly Prompt[] }
  | { readonly answer: 'passwordExpired' }
  | { readonly answer: 'success' };

export type AuthMethod = 'none' | 'publickey' | 'password' | 'keyboard-interactive';

const USERAUTH_REQUEST = Buffer.from([50]);
const USERAUTH_INFO_RESPONSE = Buffer.from([61]);
const [NO, YES] = [Buffer.from([0]), Buffer.from([1])];

function request(user: string, method: AuthMethod, ...fields: readonly Buffer[]): Buffer {
  return Buffer.concat([USERAUTH_REQUEST, sshString(user), sshString('ssh-connection'), sshString(method), ...fields]);
}

/** Lets nobody in as a rule; the answer says which methods there are. */
export function noneRequest(user: string): Buffer {
  return request(user, 'none');
}

/** Asks whether a signature of this key would do. */
export function keyQuery(user: string, { requested }: SignatureAlgorithm, blob: Buffer): Buffer {
  return request(user, 'publickey', NO, sshString(requested), sshString(blob));
}

/** What is signed, after the session's id, and what goes in front of the signature. */
export function keyRequest(user: string, { requested }: SignatureAlgorithm, blob: Buffer): Buffer {
  return request(user, 'publickey', YES, sshString(requested), sshString(blob));
}

export function signedKeyRequest(unsigned: Buffer, signature: Buffer): Buffer {
  return Buffer.concat([unsigned, sshString(signature)]);
}

export function passwordLoginRequest(user: string, password: string): Buffer {
  return request(user, 'password', NO, sshString(password));
}

export function keyboardRequest(user: string): Buffer {
  return request(user, 'keyboard-interactive', sshString(''), sshString(''));
}

export function promptAnswers(answers: readonly string[]): Buffer {
  return Buffer.concat([USERAUTH_INFO_RESPONSE, uint32(answers.length), ...answers.map(sshString)]);
}
