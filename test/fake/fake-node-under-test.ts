/** The fake node as the host session's contract wants it: the hand behind its back reaches into its files. */
import type { Connector } from '../../src/core/ports.js';
import type { NodeUnderTest } from '../contracts/node-under-test.js';
import type { FakeNode } from './fake-node.js';
import { parentOf, STATE_DIRECTORY } from './fake-paths.js';

const ROOT = '/srv/contract';

export interface Reach {
  readonly connector: Connector;
  readonly cutNextAnswer: () => void;
}

export function asNodeUnderTest(node: FakeNode, { connector, cutNextAnswer }: Reach): NodeUnderTest {
  node.files.seed(ROOT, { directory: true });
  const makeParent = (path: string): void => {
    if (node.files.stat(parentOf(path)) === undefined) node.files.seed(parentOf(path), { directory: true });
  };
  return {
    connector,
    host: { name: node.name, address: '127.0.0.1', port: 22, user: 'root', become: 'none', connectTimeoutMs: 1000, labels: {} },
    root: ROOT,
    unit: node.unit,
    healthUrl: 'http://127.0.0.1:10248/healthz',
    cutNextAnswer,
    put: async (path, content, options) => {
      makeParent(path);
      node.files.seed(path, { content, ...options });
    },
    makeDirectory: async (path) => node.files.seed(path, { directory: true }),
    link: async (path, target) => node.files.seed(path, { link: target }),
    hardLink: async (path, target) => node.files.seed(path, { hardLink: target }),
    look: async (path) => {
      const inode = node.files.lstat(path);
      if (inode === undefined || inode.kind === 'device') return undefined;
      const { kind, bytes, mode, uid, gid, modifiedAt } = inode;
      return { kind, bytes: Uint8Array.from(bytes), mode, uid, gid, modifiedAt: Math.floor(modifiedAt) };
    },
    age: async (path, modifiedAt) => {
      Object.assign(node.files.stat(path) ?? {}, { modifiedAt });
    },
    names: async (directory) => node.files.list(directory),
    silence: async (ms) => {
      const tombstones = node.files.list(STATE_DIRECTORY).filter((name) => name.startsWith('broken-'));
      for (const path of ['lock/beat', 'lock/holder', 'lock', ...tombstones].map((name) => `${STATE_DIRECTORY}/${name}`)) {
        const inode = node.files.stat(path);
        if (inode !== undefined) inode.modifiedAt -= ms / 1000;
      }
    },
    fireGuard: async (run, when) => (when === 'timer' ? node.fireGuard(run) : node.boot()),
    breakSystemdRun: async () => {
      node.systemd.refusesTimers = true;
      return async () => {
        node.systemd.refusesTimers = false;
      };
    },
    makeImmutable: async (path) => {
      const inode = node.files.stat(path);
      if (inode === undefined) throw new Error(`${path} does not exist`);
      inode.immutable = true;
      return async () => {
        inode.immutable = false;
      };
    },
    makeReadOnly: async (directory) => {
      node.files.mountReadOnly(directory);
      return async () => node.files.mountReadOnly(directory, false);
    },
    fill: async (directory) => {
      node.files.setFreeBytes(directory, 0);
      return async () => node.files.setFreeBytes(directory, undefined);
    },
    close: async () => undefined,
  };
}
