/** The password of a login: where it comes from, when it may be sent, and what it answers. Never sends it. */
import type { Failure } from '../core/failure.js';
import { FleetmendError } from '../core/failure.js';
import type { PasswordTrials, Trial } from '../core/password-trials.js';
import { barredPasswordFailure } from './login-failures.js';
import { machineOf } from './machine-of.js';
import type { Route } from './route.js';

export interface PasswordUse {
  /** It let us in here before, so no key has to be refused first. */
  readonly workedHere: boolean;
  /** Why it may not be sent, as far as is known already. Reads it. */
  refusal(): Promise<Failure | undefined>;
  /**
   * Reads it, and waits for its turn, both for as long as it takes. What was begun must be ended. Rejects with FleetmendError: it cannot
   * be had, or it may never be sent here.
   */
  begin(): Promise<PasswordTurn>;
}

export interface PasswordTurn extends Trial {
  readonly password: string;
}

/** Of one run: what became of passwords, and where one let us in. */
export interface PasswordMemory {
  readonly trials: PasswordTrials;
  readonly workedAt: Set<string>;
}

/** `read`: asked when the password is needed, not before. The same machine by another way is another one: two networks may share addresses. */
export function usePassword(route: Route, read: () => Promise<string>, { trials, workedAt }: PasswordMemory): PasswordUse {
  const { target } = route;
  const host = { key: machineOf(route), name: target.name };
  const place = `${target.user}\0${host.key}`;
  // Another user's password is another one, even where both read the same.
  const owned = (password: string): string => `${target.user}\0${password}`;
  return {
    get workedHere() {
      return workedAt.has(place);
    },
    async refusal() {
      const barrier = trials.barrier(host, owned(await read()));
      return barrier && barredPasswordFailure(target, barrier);
    },
    async begin() {
      const password = await read();
      const begun = await trials.begin(host, owned(password));
      if ('by' in begun) throw new FleetmendError(barredPasswordFailure(target, begun));
      return {
        password,
        end(how) {
          begun.end(how);
          if (how === 'accepted') workedAt.add(place);
          if (how === 'refused') workedAt.delete(place);
        },
      };
    },
  };
}

export interface Prompt {
  readonly prompt: string;
  readonly echo: boolean;
}

/** In the languages that PAM speaks; a prompt that says nothing is one too. */
const PASSWORD_WORDS = /pass(?:word|phrase)|kennwort|passwort|mot de passe|contrase|senha|palavra-passe|парол|密\s*码|密碼|パスワード|비밀번호|암호|hasło|wachtwoord|lösenord|passord|adgangskode|heslo|jelszó|salasana|parol[ae]|şifre/iu;
/** Such a question wants something else beside the password, or instead of it. */
const OTHER_WORDS = /one[- ]time|\b(?:otp|code|token)\b|^\s*(?:enter (?:a )?)?(?:new|retype|repeat)\b/iu;

/**
 * Whether keyboard-interactive may be answered with the password: one hidden question that asks for it. Nothing is due for a message
 * without a question. Anything else is no question for a program.
 */
export function readPrompts(prompts: readonly Prompt[]): 'nothing' | 'password' | 'other' {
  const [first, ...more] = prompts;
  if (first === undefined) return 'nothing';
  const asks = first.prompt.trim() === '' || (PASSWORD_WORDS.test(first.prompt) && !OTHER_WORDS.test(first.prompt));
  return more.length === 0 && !first.echo && asks ? 'password' : 'other';
}
