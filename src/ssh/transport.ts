/** The Transport over ssh2: one route, one login at its end, one command each time. Retries nothing but the way to a jump host that all hosts behind it share. */
import { setMaxListeners } from 'node:events';
import { ofTarget } from '../core/failure.js';
import type { Host } from '../core/host.js';
import type { Secrets, ShellStream, Transport } from '../core/ports.js';
import { connectHop, endWith } from './connect-hop.js';
import type { HopPorts } from './connect-hop.js';
import { createCredentials } from './credentials.js';
import { dial } from './dial.js';
import { targetOf } from './failures.js';
import { fingerprintOf } from './fingerprint.js';
import { createGate } from './gate.js';
import type { JumpTimes } from './shared-jump-host.js';
import { createWays } from './ways.js';
import { createKeySources } from './key-sources.js';
import type { KeySources } from './key-sources.js';
import { createHostKeyStore } from './known-hosts-file.js';
import type { HostKeyStore } from './known-hosts-file.js';
import { createCommandDialer } from './proxy-command.js';
import { createCachedResolver } from './resolve-address.js';
import type { ResolveAddress } from './resolve-address.js';
import type { Route } from './route.js';
import { openShell } from './shell-stream.js';

export interface SshOptions {
  /** Asked at each opening. Rejects with FleetmendError. */
  routeOf(host: Host): Promise<Route>;
  readonly secrets: Secrets;
  /** Shared with whoever asks for the secrets first. Default: its own. */
  readonly keySources?: KeySources;
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
  readonly jumpHosts?: Partial<JumpTimes>;
  /** Of the programs of ProxyCommand. Default: that of this process. */
  readonly environment?: NodeJS.ProcessEnv;
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
    credentials: createCredentials(options.keySources ?? createKeySources(), options.secrets),
    storeOf: storesByFiles(),
    gate: createGate(options.maxHandshakes ?? 32),
    handshakeTimeoutMs,
  };
  const ways = createWays({
    hop: ports,
    dial: (host, signal) => dial(host, resolve, lookups, signal),
    dialByCommand: createCommandDialer(options.environment ?? process.env),
  }, options.jumpHosts);

  return {
    async open(host, command, signal, terminal): Promise<ShellStream> {
      // One signal may serve a whole fleet; each connection takes its listener away again.
      setMaxListeners(0, signal);
      const route = await options.routeOf(host);
      const { target } = route;
      try {
        const { link, client, hostKey } = await connectHop(route, () => ways.dial(route, signal), ports, signal);
        return await openShell(link, client, target, command, fingerprintOf(hostKey), times, terminal).catch((error: unknown) => { throw endWith(link, error); });
      } catch (error) {
        throw ofTarget(error, targetOf(target));
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
