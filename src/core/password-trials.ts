/**
 * When a password may be sent, so that a wrong one locks no account: never again to a host that refused it or gave no answer, and to few
 * hosts at a time before one of them accepted it. Pure but for its memory of one run, which holds digests, never a password.
 */
import { createHash } from 'node:crypto';

/** Directories lock an account after five failures or so; a person mistypes once or twice before. */
const FEW = 3;

export interface Trial {
  /** `unanswered`: it was sent, and nothing was said of it: this host gets it no more. `unsent`: nothing counts. Only the first call does. */
  end(how: 'accepted' | 'refused' | 'unanswered' | 'unsent'): void;
}

/** `key`: whatever tells machines and accounts apart. `name`: for people. */
export interface TrialHost {
  readonly key: string;
  readonly name: string;
}

/** Why a password may never be sent: this host refused it, or never answered it; or these few refused it, and none accepted it. */
export type Barrier =
  | { readonly by: 'refused' | 'unanswered' }
  | { readonly by: 'others'; readonly names: readonly string[] };

export interface PasswordTrials {
  /** Settles when the password may be sent, however long that takes, or never may be. What was begun must be ended. */
  begin(host: TrialHost, password: string): Promise<Trial | Barrier>;
  /** As far as is known already. */
  barrier(host: TrialHost, password: string): Barrier | undefined;
  hasAccepted(host: TrialHost, password: string): boolean;
}

interface Standing {
  underWay: number;
  readonly acceptedBy: Set<string>;
  /** Names by keys. */
  readonly refusedBy: Map<string, string>;
  readonly unansweredBy: Set<string>;
  readonly waiting: (() => void)[];
}

export function createPasswordTrials(): PasswordTrials {
  const standings = new Map<string, Standing>();
  const standingOf = (password: string): Standing => {
    const digest = createHash('sha256').update(password).digest('base64');
    const standing = standings.get(digest) ?? { underWay: 0, acceptedBy: new Set(), refusedBy: new Map(), unansweredBy: new Set(), waiting: [] };
    standings.set(digest, standing);
    return standing;
  };
  return {
    async begin(host, password) {
      const standing = standingOf(password);
      while (barrierOf(host, standing) === undefined && !hasRoom(standing)) await new Promise<void>((resolve) => standing.waiting.push(resolve));
      return barrierOf(host, standing) ?? beginTrial(host, standing);
    },
    barrier: (host, password) => barrierOf(host, standingOf(password)),
    hasAccepted: ({ key }, password) => standingOf(password).acceptedBy.has(key),
  };
}

function barrierOf({ key }: TrialHost, { acceptedBy, refusedBy, unansweredBy }: Standing): Barrier | undefined {
  if (refusedBy.has(key)) return { by: 'refused' };
  if (unansweredBy.has(key)) return { by: 'unanswered' };
  return acceptedBy.size === 0 && refusedBy.size >= FEW ? { by: 'others', names: [...refusedBy.values()] } : undefined;
}

function hasRoom({ acceptedBy, refusedBy, underWay }: Standing): boolean {
  return acceptedBy.size > 0 || underWay + refusedBy.size < FEW;
}

function beginTrial({ key, name }: TrialHost, standing: Standing): Trial {
  let isOver = false;
  standing.underWay += 1;
  return {
    end(how) {
      if (isOver) return;
      isOver = true;
      standing.underWay -= 1;
      if (how === 'accepted') standing.acceptedBy.add(key);
      if (how === 'refused') standing.refusedBy.set(key, name);
      if (how === 'unanswered') standing.unansweredBy.add(key);
      for (const go of standing.waiting.splice(0)) go();
    },
  };
}
