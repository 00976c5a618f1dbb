/** The engine's way to a node: opens a visit over any transport. A reading visit is never taught how to write. */
import { FleetmendError } from '../core/failure.js';
import type { Connector, Secrets, Transport } from '../core/ports.js';
import type { Host } from '../core/host.js';
import { createPasswordTrials } from '../core/password-trials.js';
import type { SecretRequest } from '../core/secret.js';
import { buildGuard, buildLibrary, DEFAULT_PLACES, type LibraryPlaces } from './library.js';
import { commandRefused, narrowWrite } from './root-failures.js';
import { becomeRequest, checkPassword } from './root-password.js';
import { createReadSession, createWriteSession } from './session.js';
import { rootWay } from './start-command.js';
import { openVisit, type Visit } from './visit.js';

export interface ConnectorOptions extends Partial<LibraryPlaces> {
  /** For the passwords of becoming root (`becomeRequest`). Absent: none is ever sent, and a host that names one cannot be opened. */
  readonly secrets?: Secrets;
  /** For one request, on top of the time that its effect or page may take. Default 60 s. */
  readonly operationTimeoutMs?: number;
  /** From an open channel to our own shell. Default 30 s. */
  readonly startTimeoutMs?: number;
}

const OPERATION_TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 30_000;

/** Sessions reject with FleetmendError; after that they are of no more use. `signal` ends a visit at any time. */
export function createConnector(transport: Transport, options: ConnectorOptions = {}): Connector {
  const operationTimeoutMs = options.operationTimeoutMs ?? OPERATION_TIMEOUT_MS;
  const startTimeoutMs = options.startTimeoutMs ?? START_TIMEOUT_MS;
  const { stateRoot, searchPath, unitRoot, runningRoot } = { ...DEFAULT_PLACES, ...options };
  const places = { stateRoot, searchPath, unitRoot, runningRoot };
  const trials = createPasswordTrials();
  const open = async (host: Host, purpose: 'read' | 'readNarrowly' | 'write', signal: AbortSignal): Promise<Visit> => {
    const request = becomeRequest(host);
    const password = request && checkPassword(await readSecret(request, options.secrets, signal), request.label);
    return await openVisit({ transport, host, library: (nonce) => buildLibrary(nonce, purpose, places), startTimeoutMs, password, trials, signal });
  };
  return {
    openToRead: async (host, signal) => {
      const isNarrow = rootWay(host.become, host.becoming).isNarrow === true;
      const visit = await open(host, isNarrow ? 'readNarrowly' : 'read', signal);
      return createReadSession(visit, operationTimeoutMs, isNarrow ? (command) => new FleetmendError(commandRefused(visit.login, command)) : undefined);
    },
    openToWrite: async (host, signal) => {
      if (rootWay(host.become, host.becoming).isNarrow) throw new FleetmendError(narrowWrite(host, host.user ?? 'USER'));
      return createWriteSession(await open(host, 'write', signal), operationTimeoutMs, buildGuard(places));
    },
  };
}

async function readSecret(request: SecretRequest, secrets: Secrets | undefined, signal: AbortSignal): Promise<string> {
  if (secrets) return await secrets.read(request, signal);
  throw new FleetmendError({ kind: 'badInput', summary: `nobody can give the ${request.label}` });
}
