/** The route of a host of a test, where no ssh_config counts: straight to its address, with the algorithms of fleetmend. */
import type { Host } from '../../src/core/host.js';
import { LEGACY_OFFER, LEGACY_SIGNATURES, OFFER, SIGNATURES } from '../../src/ssh/algorithms.js';
import { DEFAULT_CONNECT_TIMEOUT_MS, DEFAULT_KEEP_ALIVE } from '../../src/ssh/hop-of.js';
import type { Route } from '../../src/ssh/route.js';

export interface PlainRouteOptions {
  readonly hostKeys: 'strict' | 'acceptNew';
  /** Absolute paths, at least one; the first one learns. */
  readonly knownHostsFiles: readonly string[];
  /** Usually $SSH_AUTH_SOCK. */
  readonly agentSocket?: string;
  /** Absolute paths, for hosts that name no key; those that do not exist are passed over. */
  readonly defaultIdentityFiles: readonly string[];
  readonly keepAlive?: { readonly intervalMs: number; readonly countMax: number };
  /** For a host that names none. */
  readonly user?: string;
}

export function plainRoute(host: Host, options: PlainRouteOptions): Route {
  const { ssh } = host;
  const legacy = ssh?.legacyAlgorithms === true;
  return {
    jumps: [],
    target: {
      name: host.name, address: host.address, port: host.port ?? 22, user: host.user ?? options.user ?? '',
      connectTimeoutMs: host.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
      hostKeys: { mode: options.hostKeys, files: options.knownHostsFiles, hashNames: false, ...(ssh?.hostKeyAlias ? { alias: ssh.hostKeyAlias } : {}) },
      login: {
        identityFiles: host.identityFile === undefined ? [] : [host.identityFile],
        defaultIdentityFiles: options.defaultIdentityFiles,
        identitiesOnly: host.identityFile !== undefined,
        certificateFiles: ssh?.certificateFile === undefined ? [] : [ssh.certificateFile],
        signatures: legacy ? LEGACY_SIGNATURES : SIGNATURES,
        ...(options.agentSocket ? { agentSocket: options.agentSocket } : {}),
        ...(ssh?.password ? { password: ssh.password } : {}),
      },
      algorithms: { ...(legacy ? LEGACY_OFFER : OFFER), legacy },
      keepAlive: options.keepAlive ?? DEFAULT_KEEP_ALIVE,
    },
  };
}
