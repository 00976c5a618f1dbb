/** A transport for tests that need no ssh_config: every host is reached straight, as its values say. */
import { FleetmendError } from '../../src/core/failure.js';
import type { Secrets, Transport } from '../../src/core/ports.js';
import { plainRoute } from './plain-route.js';
import type { PlainRouteOptions } from './plain-route.js';
import { createSshTransport } from '../../src/ssh/transport.js';
import type { SshOptions } from '../../src/ssh/transport.js';

export type PlainTransportOptions = PlainRouteOptions & Omit<SshOptions, 'routeOf' | 'secrets'> & { readonly secrets?: Secrets };

export const noSecrets: Secrets = {
  read: (request) => Promise.reject(new FleetmendError({ kind: 'authentication', summary: `no ${request.label}` })),
};

export function createPlainTransport(options: PlainTransportOptions): Transport {
  return createSshTransport({ secrets: noSecrets, ...options, routeOf: (host) => Promise.resolve(plainRoute(host, options)) });
}
