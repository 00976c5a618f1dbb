/** One in-process SSH server with its keys, and transports that know it. */
import { onTestFinished } from 'vitest';
import type { Host } from '../../src/core/host.js';
import { createPlainTransport } from './plain-transport.js';
import type { PlainTransportOptions } from './plain-transport.js';
import type { Transport } from '../../src/core/ports.js';
import { createScratch, hostAt, makeKey } from './scratch.js';
import type { KeyKind, Scratch, TestKey } from './scratch.js';
import { startSshServer, startTcpServer } from './test-server.js';
import type { SshTestServerOptions, TcpTestServer } from './test-server.js';

export interface Lab {
  readonly scratch: Scratch;
  readonly server: TcpTestServer;
  readonly hostKey: TestKey;
  readonly userKey: TestKey;
  readonly host: Host;
  transport(overrides?: Partial<PlainTransportOptions>): Transport;
  /** `[127.0.0.1]:PORT KEY` */
  knownLine(key?: TestKey): string;
}

export const never = new AbortController().signal;

export function scratchForTest(): Scratch {
  const scratch = createScratch();
  onTestFinished(() => scratch.remove());
  return scratch;
}

export async function tcpServerForTest(...args: Parameters<typeof startTcpServer>): Promise<TcpTestServer> {
  const server = await startTcpServer(...args);
  onTestFinished(() => server.close());
  return server;
}

/** Everything goes away at the end of the running test. */
export async function createLab(options: Omit<SshTestServerOptions, 'hostKeys'> & { hostKeyKind?: KeyKind } = {}): Promise<Lab> {
  const scratch = scratchForTest();
  const hostKey = makeKey(options.hostKeyKind);
  const userKey = makeKey();
  const server = await startSshServer({ authorized: [userKey.blob], ...options, hostKeys: [hostKey.privateText] });
  onTestFinished(() => server.close());
  const knownLine = (key = hostKey): string => `[127.0.0.1]:${server.port} ${key.publicText}\n`;
  return {
    scratch, server, hostKey, userKey, knownLine,
    host: hostAt(server.port),
    transport: (overrides = {}) =>
      createPlainTransport({
        hostKeys: 'strict',
        knownHostsFiles: [scratch.write('known_hosts', knownLine())],
        defaultIdentityFiles: [scratch.write('id', userKey.privateText)],
        exitGraceMs: 1_000, closeGraceMs: 100,
        ...overrides,
      }),
  };
}

/** A transport for servers that never come as far as a host key. */
export function transportToAnything(overrides: Partial<PlainTransportOptions> = {}): Transport {
  const scratch = scratchForTest();
  return createPlainTransport({
    hostKeys: 'strict', knownHostsFiles: [scratch.path('known_hosts')],
    defaultIdentityFiles: [scratch.write('id', makeKey().privateText)], ...overrides,
  });
}
