/**
 * One login: keys one after the other, then the password, over as many connections as the server's MaxAuthTries makes necessary.
 * Decides what is sent next from what the server answers. Never sends a password twice, never a key that was refused.
 */
import type { Failure } from '../core/failure.js';
import { failureOf } from '../core/failure.js';
import { cleanLine } from '../core/clean-text.js';
import type { Trial } from '../core/password-trials.js';
import type { HopCredentials } from './credentials.js';
import { codeOf, protocolFailure, quotePeer } from './failures.js';
import type { Identity } from './identities.js';
import { authenticationFailure, linesOf, reasonToGiveUp } from './login-failures.js';
import type { LoginRecord, Situation } from './login-failures.js';
import { readPrompts } from './password-login.js';
import type { PasswordTurn, PasswordUse, Prompt } from './password-login.js';
import type { Hop } from './route.js';
import { passwordMethods } from './secrets-needed.js';
import { chooseSignature, signatureAlgorithms } from './signature-algorithms.js';
import type { SignatureAlgorithm } from './signature-algorithms.js';
import type { AuthWire } from './ssh2-auth.js';
import {
  keyboardRequest, keyQuery, keyRequest, noneRequest, passwordLoginRequest, promptAnswers, signedKeyRequest,
} from './user-auth-messages.js';
import type { ServerAnswer } from './user-auth-messages.js';
import { sshString } from './wire.js';

export interface Login {
  /** For each connection. `giveUp` ends it; nothing more is sent then. */
  begin(wire: AuthWire, giveUp: (failure: Failure) => void, pause?: Pause): { start(): void; onAnswer(answer: ServerAnswer): void };
  /**
   * To be called whenever a connection ended before the server said yes. True: another one is worth it. `judged`: the server said
   * goodbye, so what was under way is refused.
   */
  ended(judged: boolean): boolean;
  /** Settles when a further connection makes sense: a password that waits for its turn gets it first. Never rejects. */
  ready(): Promise<void>;
  /** To be called at the end: a turn that was waited for goes to somebody else. */
  close(): void;
  readonly record: LoginRecord;
  /** The method that the server has not answered. */
  readonly underWay: string | undefined;
}

/** Called when somebody else is waited for, so that no time limit of the server runs; what it returns ends that. */
export type Pause = () => () => void;

/** sshd counts the keys of one connection; a client that comes back more often looks like an attack. */
const MAX_CONNECTIONS = 4;
/** Of keyboard-interactive, in one connection: more is no conversation. */
const MAX_ROUNDS = 10;

type Attempt =
  | { readonly method: 'none' }
  | { readonly method: 'publickey'; readonly identity: Identity; readonly algorithm: SignatureAlgorithm; readonly isSigned: boolean }
  | PasswordAttempt;

interface PasswordAttempt {
  readonly method: 'password' | 'keyboard-interactive';
  rounds: number;
  sent: boolean;
}

export function createLogin(hop: Hop, credentials: HopCredentials): Login {
  const tried: string[] = [];
  const remarks = [...credentials.remarks];
  const { user } = hop;
  const keysTried = new Set<Identity>();
  let left = [...credentials.identities];
  let { password } = credentials;
  let connections = 0;
  let attempt: Attempt | undefined;
  let turn: PasswordTurn | undefined;
  /** Asked for, and not used yet. */
  let nextTurn: Promise<PasswordTurn> | undefined;
  /** Changes with every beginning and end of a connection: what was waited for may come too late. */
  let connection = {};

  const drop = (identity: Identity): void => {
    left = left.filter((other) => other !== identity);
  };
  const record = { tried, remarks };
  const endTrial = (how: Parameters<Trial['end']>[0]): void => {
    turn?.end(how);
    if (how === 'refused' || how === 'unanswered') password = undefined;
  };

  return {
    record,
    get underWay() {
      return attempt?.method;
    },
    ready: async () => void (await nextTurn?.catch(() => undefined)),
    close() {
      void nextTurn?.then((unused) => unused.end('unsent'), () => undefined);
      nextTurn = undefined;
    },
    begin(wire, end, pause = () => () => undefined) {
      attempt = undefined;
      const mine = (connection = {});
      let methods: readonly string[] | undefined;
      /** What was right, and not enough: not again on this connection. */
      const accepted = new Set<Identity | PasswordUse>();
      /** Offered, and refused before anything was asked. */
      const empty = new Set<string>();
      let isDone = false;
      const isOver = (): boolean => isDone || connection !== mine;

      const passwordState = (): Situation['password'] => {
        if (credentials.password === undefined) return 'none';
        return password === undefined ? 'spent' : 'unused';
      };
      const giveUp = (reason: string, next?: string): void => {
        isDone = true;
        end(authenticationFailure(hop, reason, record, next));
      };
      const send = (made: Attempt, payload: Buffer): void => {
        attempt = made;
        wire.send(payload, made.method);
      };

      const next = (): void => {
        attempt = undefined;
        if (isOver()) return;
        const keys = left.filter((key) => !accepted.has(key));
        const [identity] = methods === undefined || methods.includes('publickey') ? keys : [];
        if (password && !accepted.has(password) && (identity === undefined || password.workedHere)) {
          // What `none` is answered with tells the methods; sshd does not count it.
          if (methods === undefined) return send({ method: 'none' }, noneRequest(user));
          const method = passwordMethods(hop.login).find((name) => methods?.includes(name) && !empty.has(name));
          if (method) return void tryPassword(password, method);
        }
        if (identity) return offer(identity);
        const { reason, advice } = reasonToGiveUp({
          methods: methods ?? [], isPartial: accepted.size > 0, keysLeft: keys.length, keysTried: keysTried.size, password: passwordState(),
        });
        giveUp(reason, advice);
      };

      const offer = (identity: Identity): void => {
        const { blob, isCertificate, signer } = identity;
        const algorithm = chooseSignature(signatureAlgorithms(signer.keyType, isCertificate, hop.login.signatures), wire.serverSignatures());
        if (algorithm === undefined) {
          remarks.push(`not tried: ${identity.label}: the server takes no signature of its kind that is allowed here`);
          drop(identity);
          return next();
        }
        if (!keysTried.has(identity)) tried.push(identity.label);
        keysTried.add(identity);
        if (credentials.signsAtOnce(identity)) return void sign(identity, algorithm);
        send({ method: 'publickey', identity, algorithm, isSigned: false }, keyQuery(user, algorithm, blob));
      };
      const sign = async (identity: Identity, algorithm: SignatureAlgorithm): Promise<void> => {
        const made: Attempt = { method: 'publickey', identity, algorithm, isSigned: true };
        attempt = made;
        const request = keyRequest(user, algorithm, identity.blob);
        try {
          const signature = await identity.signer.sign(Buffer.concat([sshString(wire.sessionId()), request]), algorithm.signed);
          if (!isOver()) send(made, signedKeyRequest(request, signature));
        } catch (error) {
          remarks.push(`failed here: ${identity.label}: ${cleanLine(error instanceof Error ? error.message : codeOf(error))}`);
          drop(identity);
          next();
        }
      };

      const tryPassword = async (use: PasswordUse, method: 'password' | 'keyboard-interactive'): Promise<void> => {
        const goOn = pause();
        const waited = (nextTurn ??= use.begin());
        let taken: PasswordTurn;
        try {
          taken = await waited;
        } catch (error) {
          if (isOver()) return;
          isDone = true;
          const failure = failureOf(error);
          const detail = [...(failure.detail === undefined ? [] : [failure.detail]), ...linesOf(record)].join('\n');
          return end({ ...failure, kind: failure.kind === 'badInput' ? 'authentication' : failure.kind, ...(detail === '' ? {} : { detail }) });
        } finally {
          goOn();
        }
        // It is for the next connection then.
        if (isOver() || nextTurn !== waited) return;
        nextTurn = undefined;
        turn = taken;
        tried.push(method === 'password' ? 'the password' : 'the password (keyboard-interactive)');
        if (method === 'password') send({ method, rounds: 0, sent: true }, passwordLoginRequest(user, taken.password));
        else send({ method, rounds: 0, sent: false }, keyboardRequest(user));
      };
      const answer = (prompts: readonly Prompt[]): void => {
        if (attempt?.method !== 'keyboard-interactive' || turn === undefined) return end(protocolFailure(hop, 'it asks without being asked'));
        attempt.rounds += 1;
        if (attempt.rounds > MAX_ROUNDS) return giveUp(`it asks without end, ${MAX_ROUNDS} times so far`, 'log in there with a key');
        const asked = readPrompts(prompts);
        if (asked === 'other' || (asked === 'password' && attempt.sent)) {
          return giveUp(`it asks "${quotePeer(prompts.map(({ prompt }) => prompt).join(' '))}", which is no question for a password`, 'log in there with a key, or with a method that asks for one password only');
        }
        attempt.sent ||= asked === 'password';
        wire.send(promptAnswers(asked === 'password' ? [turn.password] : []), 'keyboard-interactive');
      };

      const refused = (made: Attempt, partial: boolean, canGoOn: readonly string[]): void => {
        if (made.method === 'publickey') {
          if (partial) {
            credentials.keyWorked(made.identity);
            accepted.add(made.identity);
            // A server that wants something else first has not looked at the key.
          } else if (canGoOn.includes('publickey')) drop(made.identity);
        } else if (made.method !== 'none') {
          if (partial && password) accepted.add(password);
          if (!made.sent) empty.add(made.method);
          const how = made.sent ? 'refused' : 'unsent';
          endTrial(partial && made.sent ? 'accepted' : how);
        }
      };

      return {
        start() {
          connections += 1;
          next();
        },
        onAnswer(message) {
          const made = attempt;
          if (isOver()) return;
          if (made === undefined && message.answer !== 'success') return end(protocolFailure(hop, 'it answers without being asked'));
          switch (message.answer) {
            case 'success':
              isDone = true;
              if (made?.method === 'publickey') credentials.keyWorked(made.identity);
              else if (made && made.method !== 'none') endTrial('accepted');
              attempt = undefined;
              return;
            case 'failure':
              if (made) refused(made, message.partial, message.methods);
              methods = message.methods;
              return next();
            case 'keyAccepted':
              if (made?.method !== 'publickey' || made.isSigned || !made.identity.blob.equals(message.blob)) return end(protocolFailure(hop, 'it accepts a key that was not offered'));
              return void sign(made.identity, made.algorithm);
            case 'asks':
              return answer(message.prompts);
            case 'passwordExpired':
              endTrial('refused');
              return giveUp('the password has expired', `log in there by hand as ${cleanLine(user)} and change it`);
          }
        },
      };
    },
    ended(judged) {
      const made = attempt;
      attempt = undefined;
      connection = {};
      if (made?.method === 'publickey') {
        drop(made.identity);
        if (!judged) left.push(made.identity);
      } else if (made && made.method !== 'none') {
        const how = judged ? 'refused' : 'unanswered';
        // One that this host accepted before is not wrong because a connection broke.
        endTrial(made.sent && !(password?.workedHere && !judged) ? how : 'unsent');
      }
      const isMidway = nextTurn !== undefined || (made !== undefined && made.method !== 'none');
      return isMidway && connections < MAX_CONNECTIONS && (left.length > 0 || password !== undefined);
    },
  };
}
