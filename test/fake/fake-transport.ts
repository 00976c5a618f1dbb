/** A Transport that leads to fake nodes in memory: the bytes of the host protocol without SSH. Never opens a socket. */
import { Duplex, PassThrough } from 'node:stream';
import { FleetmendError } from '../../src/core/failure.js';
import type { ShellEnd, ShellStream, Transport } from '../../src/core/ports.js';
import type { FakeNode } from './fake-node.js';
import { serveFakeNode, type ServeOptions } from './fake-protocol.js';

export interface FakeTransport extends Transport {
  /** Streams that were not closed: a test asserts 0 at its end. */
  openStreams(): number;
}

/** Nodes are found by the host's name; an unknown host refuses the connection. */
export function fakeTransport(nodes: ReadonlyMap<string, FakeNode>, options: Omit<ServeOptions, 'user'> = {}): FakeTransport {
  let open = 0;
  return {
    openStreams: () => open,
    open: async (host, command, signal): Promise<ShellStream> => {
      await Promise.resolve();
      if (signal.aborted) throw new FleetmendError({ kind: 'interrupted', summary: `${host.name}: interrupted` });
      const node = nodes.get(host.name);
      if (node === undefined) throw new FleetmendError({ kind: 'refusedConnection', summary: `${host.name}: connection refused` });
      open += 1;
      return connect(node, command, { ...options, user: host.user ?? 'root' }, () => {
        open -= 1;
      });
    },
  };
}

function connect(node: FakeNode, command: string, options: ServeOptions, onClosed: () => void): ShellStream {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const server = Object.assign(Duplex.from({ readable: stdin, writable: stdout }), { stderr });
  server.on('error', () => undefined);
  let isOver = false;
  let finish = (_end: ShellEnd): void => undefined;
  const ended = new Promise<ShellEnd>((resolve) => {
    finish = (end) => {
      if (isOver) return;
      isOver = true;
      for (const stream of [stdin, stdout, stderr]) stream.end();
      server.destroy();
      onClosed();
      // One turn later: what was written last can still be read before the end is known.
      setImmediate(() => resolve(end));
    };
  });
  server.on('close', () => finish({ how: 'lost' }));
  void serveFakeNode(node, server, command, options).then((code) => finish(server.destroyed ? { how: 'lost' } : { how: 'exit', code }));
  return {
    stdin, stdout, stderr, ended,
    hostKey: node.hostKey,
    close: async () => {
      finish({ how: 'lost' });
      await ended;
    },
  };
}
