/**
 * Offers keys to a server one after the other, without the round trip of `none` (ssh.md 2.3), and remembers which.
 * Never offers a password, never starts over.
 */
import type { AuthHandlerMiddleware } from 'ssh2';
import type { Identity } from './identities.js';

export interface Login {
  readonly authHandler: AuthHandlerMiddleware;
  /** Labels of the keys that were offered. */
  readonly tried: readonly string[];
}

/** `giveUp` is called at most once, with the reason; ssh2 gets no further answer then. */
export function createLogin(user: string, identities: readonly Identity[], giveUp: (reason: string) => void): Login {
  const tried: string[] = [];
  const left = [...identities];
  const authHandler: AuthHandlerMiddleware = (methodsLeft, partialSuccess, next) => {
    // The types of ssh2 do not say that both are null on the first call.
    const methods = methodsLeft as readonly string[] | null;
    if (partialSuccess) return giveUp(`a key was accepted, but the server also wants: ${(methods ?? []).join(', ')}`);
    if (methods !== null && !methods.includes('publickey')) return giveUp(`the server takes no keys, only: ${methods.join(', ')}`);
    const identity = left.shift();
    if (identity === undefined) return giveUp(`none of ${tried.length} keys was accepted`);
    tried.push(identity.label);
    next(identity.attempt(user));
  };
  return { authHandler, tried };
}
