/**
 * Passwords and passphrases of one command: from the person, asked once and before the first host is reached; from a variable of our
 * own environment; from a program. What was learned is hidden in all that is written from then on. Never keeps one on a disk.
 */
import { setMaxListeners } from 'node:events';
import { FleetmendError } from '../core/failure.js';
import type { Clock, Secrets } from '../core/ports.js';
import type { SecretRequest } from '../core/secret.js';
import { expandPlaceholders } from '../commands/secret-command.js';
import { createGate } from '../ssh/gate.js';

export interface SecretsOptions {
  /** fleetmend's own, a copy: what is taken from it is what its children do not get. */
  readonly environment: NodeJS.ProcessEnv;
  /** Undefined where nobody can be asked. `label` completes "the ...". Rejects with FleetmendError. */
  readonly ask: ((label: string) => Promise<string>) | undefined;
  /** Rejects with FleetmendError (authentication). */
  readonly run: (argv: readonly string[], label: string, signal: AbortSignal) => Promise<string>;
  readonly learn: (secret: string) => void;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

export interface AskedSecrets extends Secrets {
  /** Asks what a person must answer, once for each label, and looks whether each variable is there. Runs no program. Rejects with FleetmendError. */
  askAhead(requests: readonly SecretRequest[]): Promise<void>;
}

/** Programs at a time: each may unlock a store of its own. */
const COMMANDS_AT_ONCE = 8;
/** What a program said no to is not asked again for so long: a fleet would hammer a store that is sealed. Then it is, for it may be open. */
export const FAILED_FOR_MS = 5_000;

export function createSecrets(options: SecretsOptions): AskedSecrets {
  const typed = new Map<string, string>();
  const commands = new Map<string, Shared>();
  const gate = createGate(COMMANDS_AT_ONCE);

  const fromEnvironment = (name: string, label: string): string => {
    const value = options.environment[name];
    if (value !== undefined && value !== '') return value;
    throw new FleetmendError({ kind: 'badInput', summary: `no ${label}: the variable ${name} is ${value === undefined ? 'not set' : 'empty'}`, done: 'no host was reached' });
  };
  const fromCommand = (argv: readonly string[], label: string, signal: AbortSignal): Promise<string> => {
    // One signal may serve a whole fleet.
    setMaxListeners(0, signal);
    const key = JSON.stringify(argv);
    const known = commands.get(key);
    const isStale = known?.failedAtMs !== undefined && options.clock.monotonicMs() - known.failedAtMs >= FAILED_FOR_MS;
    const shared = known !== undefined && !isStale ? known : share((stop) => gate.run(async () => {
      const secret = await options.run(argv, label, stop);
      options.learn(secret);
      return secret;
    }, stop), () => { commands.delete(key); }, options.clock);
    commands.set(key, shared);
    return shared.wait(signal);
  };

  return {
    async askAhead(requests) {
      for (const { source, label, optional } of requests) {
        if (source.from === 'env' && (optional !== true || options.environment[source.name])) options.learn(fromEnvironment(source.name, label));
      }
      for (const request of requests) {
        if (request.source.from !== 'prompt' || typed.has(request.label)) continue;
        if (options.ask !== undefined) typed.set(request.label, await askUntilRight(request, options.ask, options.learn));
        else if (request.optional !== true) throw nobodyToAsk(request);
      }
    },
    async read({ source, label, host }, signal) {
      switch (source.from) {
        case 'prompt': {
          const secret = typed.get(label);
          if (secret !== undefined) return secret;
          throw new FleetmendError({ kind: 'authentication', summary: `no ${label}: nobody was asked for it` });
        }
        case 'env':
          return fromEnvironment(source.name, label);
        case 'command':
          return await fromCommand(expandPlaceholders(source.argv, host), label, signal);
      }
    },
  };
}

interface Shared {
  /** By the clock that never goes back; absent: it is under way, or was right. */
  failedAtMs?: number;
  wait(signal: AbortSignal): Promise<string>;
}

/** One program for all who wait; it is stopped when nobody waits any more, and `forget` is called. What it gave stays. */
function share(start: (stop: AbortSignal) => Promise<string>, forget: () => void, clock: Pick<Clock, 'monotonicMs'>): Shared {
  const controller = new AbortController();
  const result = start(controller.signal);
  let isOver = false;
  result.then(() => { isOver = true; }, () => {
    isOver = true;
    shared.failedAtMs = clock.monotonicMs();
  });
  let waiting = 0;
  const shared: Shared = {
    wait: (signal) => new Promise((resolve, reject) => {
      waiting += 1;
      let hasLeft = false;
      const leave = (): void => {
        signal.removeEventListener('abort', abandon);
        if (!hasLeft) waiting -= 1;
        hasLeft = true;
      };
      const abandon = (): void => {
        leave();
        if (waiting === 0 && !isOver) {
          forget();
          controller.abort();
        }
        reject(new FleetmendError({ kind: 'interrupted', summary: 'stopped while a password was waited for' }));
      };
      signal.addEventListener('abort', abandon);
      if (signal.aborted) abandon();
      result.then((secret) => { leave(); resolve(secret); }, (error: unknown) => { leave(); reject(error as Error); });
    }),
  };
  return shared;
}

/** As ssh does it. */
const TRIES = 3;

async function askUntilRight({ label, check, otherwise }: SecretRequest, ask: (label: string) => Promise<string>, learn: (secret: string) => void): Promise<string> {
  for (let tried = 1; tried <= TRIES; tried += 1) {
    const secret = await ask(tried === 1 ? label : `${label} (that was not the right one)`);
    learn(secret);
    if (check === undefined || (await check(secret))) return secret;
  }
  throw new FleetmendError({
    kind: 'badInput', summary: `the ${label} was not right, ${TRIES} times`, done: 'no host was reached', ...(otherwise === undefined ? {} : { next: otherwise }),
  });
}

function nobodyToAsk({ label, otherwise }: SecretRequest): FleetmendError {
  return new FleetmendError({
    kind: 'badInput', summary: `the ${label} is needed, and there is no terminal to ask for it`, done: 'no host was reached',
    next: `run fleetmend on a terminal, or ${otherwise ?? 'name a source in the inventory: passwordEnv or passwordCommand'}`,
  });
}
