/** The Transport over ssh2: one route, one login at its end, one command each time. Never retries. */
import { setMaxListeners } from 'node:events';
import type { Host } from '../core/host.js';
import type { Secrets, ShellStream, Transport } from '../core/ports.js';
import { createAgentKeyLister } from './agent-keys.js';
import type { ListAgentKeys } from './agent-keys.js';
import { connectHop, endWith } from './connect-hop.js';
import type { HopPorts } from './connect-hop.js';
import { dial } from './dial.js';
import { fingerprintOf } from './fingerprint.js';
import { createGate } from './gate.js';
import { createKeyFileReader } from './key-files.js';
import { createHostKeyStore } from './known-hosts-file.js';
import type { HostKeyStore } from './known-hosts-file.js';
import { createCachedResolver } from './resolve-address.js';
import type { ResolveAddress } from './resolve-address.js';
import type { Route } from './route.js';
import { openShell } from './shell-stream.js';

export interface SshOptions {
  /** Asked at each opening. Rejects with FleetmendError. */
  routeOf(host: Host): Promise<Route>;
  readonly secrets: Secrets;
  /** For handshake and login together, and again for starting the command. Default 30 000. */
  readonly handshakeTimeoutMs?: number;
  /** Without a byte of the command's input or output; keepalives do not count. Default 300 000. */
  readonly idleTimeoutMs?: number;
  /** Handshakes in progress at a time. Default 32 (ssh.md 3.5). */
  readonly maxHandshakes?: number;
  /** After the command's exit, for a child that keeps its output open. Default 3 000. */
  readonly exitGraceMs?: number;
  /** For the peer to close, and for the reader to take the rest. Default 1 000. */
  readonly closeGraceMs?: number;
  /** Default: dns.lookup, remembered for a minute. */
  readonly resolve?: ResolveAddress;
}

/**
 * The system's lookups share four threads with all files (ssh.md 2.4): one stays free for the journal, and names that wait here
 * use up no time limit and are dropped by an abort.
 */
const LOOKUPS_AT_ONCE = 3;

export function createSshTransport(options: SshOptions): Transport {
  const handshakeTimeoutMs = options.handshakeTimeoutMs ?? 30_000;
  const times = {
    openMs: handshakeTimeoutMs, idleMs: options.idleTimeoutMs ?? 300_000,
    exitGraceMs: options.exitGraceMs ?? 3_000, closeGraceMs: options.closeGraceMs ?? 1_000,
  };
  const resolve = createCachedResolver(options.resolve);
  const lookups = createGate(LOOKUPS_AT_ONCE);
  const ports: HopPorts = {
    keySources: { readKeyFile: createKeyFileReader(), listAgentKeys: listersByAgent() },
    storeOf: storesByFiles(),
    gate: createGate(options.maxHandshakes ?? 32),
    handshakeTimeoutMs,
  };

  return {
    async open(host, command, signal): Promise<ShellStream> {
      // One signal may serve a whole fleet; each connection takes its listener away again.
      setMaxListeners(0, signal);
      const { target } = await options.routeOf(host);
      const { link, client, hostKey } = await connectHop(target, () => dial(target, resolve, lookups, signal), ports, signal);
      try {
        return await openShell(link, client, target, command, fingerprintOf(hostKey), times);
      } catch (error) {
        throw endWith(link, error);
      }
    },
  };
}

function storesByFiles(): (files: readonly string[]) => HostKeyStore {
  const stores = new Map<string, HostKeyStore>();
  return (files) => {
    const key = files.join('\0');
    const store = stores.get(key) ?? createHostKeyStore(files);
    stores.set(key, store);
    return store;
  };
}

function listersByAgent(): (socketPath: string) => ReturnType<ListAgentKeys> {
  const listers = new Map<string, ListAgentKeys>();
  return (socketPath) => {
    const list = listers.get(socketPath) ?? createAgentKeyLister(socketPath);
    listers.set(socketPath, list);
    return list();
  };
}
