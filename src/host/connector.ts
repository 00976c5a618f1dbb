/** The engine's way to a node: opens a visit over any transport. A reading visit is never taught how to write. */
import type { Connector, Transport } from '../core/ports.js';
import type { Host } from '../core/host.js';
import { buildGuard, buildLibrary, DEFAULT_PLACES, type LibraryPlaces } from './library.js';
import { createReadSession, createWriteSession } from './session.js';
import { openVisit, type Visit } from './visit.js';

export interface ConnectorOptions extends Partial<LibraryPlaces> {
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
  const open = (host: Host, purpose: 'read' | 'write', signal: AbortSignal): Promise<Visit> =>
    openVisit({ transport, host, library: (nonce) => buildLibrary(nonce, purpose, places), startTimeoutMs, signal });
  return {
    openToRead: async (host, signal) => createReadSession(await open(host, 'read', signal), operationTimeoutMs),
    openToWrite: async (host, signal) => createWriteSession(await open(host, 'write', signal), operationTimeoutMs, buildGuard(places)),
  };
}
