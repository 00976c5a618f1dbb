/** The reading half of the host session's contract. */
import { describe, expect, it } from 'vitest';
import type { Answer, Query } from '../../src/core/query.js';
import type { NodeUnderTest } from './node-under-test.js';

export async function askAll(node: NodeUnderTest, queries: readonly Query[]): Promise<Answer[]> {
  const session = await node.connector.openToRead(node.host, new AbortController().signal);
  try {
    return await session.ask(queries);
  } finally {
    await session.close();
  }
}

type ValueOf<K extends Query['ask']> = Extract<Answer, { ok: true; ask: K }>['value'];

/** The one answer's value; fails the test when there is none. */
export async function askOne<Q extends Query>(node: NodeUnderTest, query: Q): Promise<ValueOf<Q['ask']>> {
  const [answer] = await askAll(node, [query]);
  expect(answer).toMatchObject({ ok: true, ask: query.ask });
  return (answer as unknown as { value: ValueOf<Q['ask']> }).value;
}

const EVERY_BYTE = Uint8Array.from({ length: 1024 }, (_, index) => (index * 7) % 256);

/** Names that break quoting, splitting or line-based parsing. */
const AWKWARD_NAMES = ['with space', "it's \"quoted\"", 'new\nline', 'dollar $HOME `id` \\', '-rf', 'ünïcödé-☃', '*?[a]', '~', ' ', 'tab\t', 'trailing newline\n', '#hash;&|'];

export function readContract(node: () => NodeUnderTest): void {
  describe('files', () => {
    it('gives content, mode and times of a regular file byte for byte', async () => {
      const path = `${node().root}/config`;
      await node().put(path, EVERY_BYTE, { mode: 0o640, modifiedAt: 1_600_000_000 });
      const value = await askOne(node(), { ask: 'file', path });
      expect(value).toMatchObject({ exists: true, kind: 'file', realPath: path, viaLink: false, mode: 0o640, size: 1024, links: 1 });
      if (!value.exists) return;
      expect(Buffer.from(value.bytes).equals(EVERY_BYTE)).toBe(true);
      expect(Math.floor(value.modifiedAt)).toBe(1_600_000_000);
      expect(value.inode).toMatch(/^[0-9]+$/);
    });

    it('says that a missing file and a dangling link do not exist', async () => {
      await node().link(`${node().root}/dangling`, `${node().root}/nowhere`);
      expect(await askOne(node(), { ask: 'file', path: `${node().root}/missing/deeper` })).toEqual({ exists: false });
      expect(await askOne(node(), { ask: 'file', path: `${node().root}/dangling` })).toEqual({ exists: false });
    });

    it('follows a link and a linked parent to the true real path', async () => {
      const { root } = node();
      await node().put(`${root}/real/config`, 'x');
      await node().link(`${root}/alias`, `${root}/real`);
      await node().link(`${root}/link`, 'alias/config');
      const expected = { exists: true, kind: 'file', realPath: `${root}/real/config`, viaLink: true, size: 1 };
      expect(await askOne(node(), { ask: 'file', path: `${root}/link` })).toMatchObject(expected);
      expect(await askOne(node(), { ask: 'file', path: `${root}/alias/config` })).toMatchObject(expected);
    });

    it('gives no bytes of a directory', async () => {
      const value = await askOne(node(), { ask: 'file', path: node().root });
      expect(value).toMatchObject({ exists: true, kind: 'directory' });
      expect(value.exists && value.bytes.length).toBe(0);
    });

    it('reads an empty file and one of 900 KB', async () => {
      const large = Buffer.alloc(900_000, EVERY_BYTE);
      await node().put(`${node().root}/empty`, '');
      await node().put(`${node().root}/large`, large);
      const [empty, full] = await askAll(node(), [{ ask: 'file', path: `${node().root}/empty` }, { ask: 'file', path: `${node().root}/large` }]);
      expect(empty).toMatchObject({ ok: true, value: { exists: true, size: 0 } });
      expect(full).toMatchObject({ ok: true, value: { exists: true, size: 900_000 } });
      expect(full?.ok && full.ask === 'file' && full.value.exists && Buffer.from(full.value.bytes).equals(large)).toBe(true);
    });

    it('reads no file larger than 1 MiB, and says so without spoiling its neighbours', async () => {
      const { root } = node();
      await node().put(`${root}/huge`, Buffer.alloc(1024 * 1024 + 1, 'x'));
      await node().put(`${root}/small`, 'small');
      const answers = await askAll(node(), [{ ask: 'file', path: `${root}/huge` }, { ask: 'file', path: `${root}/small` }]);
      expect(answers).toMatchObject([{ ok: false, reason: 'tooLarge' }, { ok: true, value: { exists: true, size: 5 } }]);
    });

    it.each(AWKWARD_NAMES)('reads a file named %j', async (name) => {
      const path = `${node().root}/${name}`;
      await node().put(path, name);
      const value = await askOne(node(), { ask: 'file', path });
      expect(value.exists && Buffer.from(value.bytes).toString()).toBe(name);
    });

    it('counts the names of a hard-linked file', async (context) => {
      const { root, hardLink } = node();
      if (!hardLink) return context.skip('this node makes no hard links');
      await node().put(`${root}/one`, 'x');
      await hardLink(`${root}/two`, `${root}/one`);
      expect(await askOne(node(), { ask: 'file', path: `${root}/two` })).toMatchObject({ exists: true, links: 2, viaLink: false });
    });
  });

  describe('directories', () => {
    it('walks into directories, lists links without entering them, and keeps every name', async () => {
      const { root } = node();
      for (const name of AWKWARD_NAMES) await node().put(`${root}/d/sub/${name}`, '');
      await node().put(`${root}/d/.hidden`, '');
      await node().put(`${root}/d/..odd`, '');
      await node().link(`${root}/d/toFile`, '.hidden');
      await node().link(`${root}/d/toDirectory`, 'sub');
      await node().link(`${root}/d/dangling`, 'nowhere');
      const value = await askOne(node(), { ask: 'directory', path: `${root}/d` });
      expect(value).toMatchObject({ exists: true, isDirectory: true, isLink: false });
      const entries = value.exists ? value.entries : [];
      expect(new Map(entries.map(({ path, kind, target }) => [path, target ? `${kind} to ${target}` : kind]))).toEqual(new Map<string, string>([
        ['.hidden', 'file'], ['..odd', 'file'], ['toFile', 'link to file'], ['toDirectory', 'link to directory'], ['dangling', 'link to missing'], ['sub', 'directory'],
        ...AWKWARD_NAMES.map((name): [string, string] => [`sub/${name}`, 'file']),
      ]));
    });

    it('says when a directory is missing, is a file, is empty or is reached by a link', async () => {
      const { root } = node();
      await node().put(`${root}/d/file`, '');
      await node().makeDirectory(`${root}/empty`);
      await node().link(`${root}/alias`, `${root}/d`);
      expect(await askOne(node(), { ask: 'directory', path: `${root}/missing` })).toEqual({ exists: false });
      expect(await askOne(node(), { ask: 'directory', path: `${root}/d/file` })).toMatchObject({ exists: true, isDirectory: false, entries: [] });
      expect(await askOne(node(), { ask: 'directory', path: `${root}/empty` })).toEqual({ exists: true, isDirectory: true, isLink: false, entries: [] });
      expect(await askOne(node(), { ask: 'directory', path: `${root}/alias` })).toMatchObject({ exists: true, isDirectory: true, isLink: true, entries: [{ path: 'file', kind: 'file' }] });
    });
  });

  describe('order and independence', () => {
    it('answers in the order asked, whatever the kinds and however they are mixed', async () => {
      const { root } = node();
      await node().put(`${root}/a`, 'A');
      await node().put(`${root}/b`, 'B');
      const answers = await askAll(node(), [
        { ask: 'file', path: `${root}/b` }, { ask: 'capability' }, { ask: 'file', path: `${root}/missing` },
        { ask: 'directory', path: root }, { ask: 'file', path: `${root}/a` }, { ask: 'processes', exe: 'no-such-program' },
      ]);
      expect(answers.map((answer) => answer.ask)).toEqual(['file', 'capability', 'file', 'directory', 'file', 'processes']);
      expect(answers.map((answer) => (answer.ok && answer.ask === 'file' ? (answer.value.exists ? Buffer.from(answer.value.bytes).toString() : 'absent') : '')))
        .toEqual(['B', '', 'absent', '', 'A', '']);
    });

    it('answers nothing to nothing, and goes on', async () => {
      const session = await node().connector.openToRead(node().host, new AbortController().signal);
      try {
        expect(await session.ask([])).toEqual([]);
        const twice = await Promise.all([session.ask([{ ask: 'capability' }]), session.ask([{ ask: 'file', path: node().root }])]);
        expect(twice.map(([answer]) => answer?.ask)).toEqual(['capability', 'file']);
      } finally {
        await session.close();
      }
    });

    it('a question it cannot answer says why and spoils no other', async () => {
      const answers = await askAll(node(), [
        { ask: 'version', exe: `${node().root}/no-such-program` }, { ask: 'file', path: 'relative/path' }, { ask: 'file', path: node().root }, { ask: 'file', path: '' },
      ]);
      expect(answers.map((answer) => (answer.ok ? 'ok' : answer.reason))).toEqual(['failed', 'failed', 'ok', 'failed']);
    });
  });

  describe('the node', () => {
    it('says who and what it is', async () => {
      const value = await askOne(node(), { ask: 'capability' });
      expect(value.uid).toBe(0);
      expect(value.hostname).not.toBe('');
      expect(value.kernel).not.toBe('');
      expect(value.bootId).toMatch(/^[0-9a-f-]{36}$/);
      expect(value.tools).toContain('sha256sum');
    });

    it('a process that is not there is no process', async () => {
      expect(await askOne(node(), { ask: 'process', pid: 4_999_999 })).toEqual({});
    });

    it('shows a running unit with its process, and the same process by its pid', async (context) => {
      const { unit } = node();
      if (unit === undefined) return context.skip('this node runs no unit');
      const value = await askOne(node(), { ask: 'unit', unit });
      expect(value.properties).toMatchObject({ Id: unit, LoadState: 'loaded', ActiveState: 'active' });
      expect(value.monotonicUs).toBeGreaterThan(0);
      expect(String(value.process?.pid)).toBe(value.properties['MainPID']);
      const { process } = await askOne(node(), { ask: 'process', pid: value.process?.pid ?? 0 });
      expect(process).toEqual(value.process);
      const { pids } = await askOne(node(), { ask: 'processes', exe: (process?.exe ?? '').split('/').at(-1) ?? '' });
      expect(pids).toContain(process?.pid);
      const status = await askOne(node(), { ask: 'status', unit });
      expect(status.exit).toBe(0);
    });

    it('says of a unit which others a restart of it takes along, none of them left out', async (context) => {
      const { unit } = node();
      if (unit === undefined) return context.skip('this node runs no unit');
      const { properties } = await askOne(node(), { ask: 'unit', unit });
      expect(['ConsistsOf', 'RequiredBy', 'RequisiteOf', 'BoundBy'].map((name) => [name, typeof properties[name]])).toEqual([
        ['ConsistsOf', 'string'], ['RequiredBy', 'string'], ['RequisiteOf', 'string'], ['BoundBy', 'string'],
      ]);
    });

    it('a unit that does not exist is said to be not found', async (context) => {
      if (node().unit === undefined) return context.skip('this node runs no unit');
      const value = await askOne(node(), { ask: 'unit', unit: 'no-such-thing.service' });
      expect(value.properties['LoadState']).toBe('not-found');
      expect(value.process).toBeUndefined();
    });

    it('fetches a page of its own', async (context) => {
      const { healthUrl } = node();
      if (healthUrl === undefined) return context.skip('this node serves no page');
      expect(await askOne(node(), { ask: 'http', url: healthUrl, timeoutMs: 5_000 })).toEqual({ status: 200, body: 'ok' });
    });
  });

  describe('could a write succeed', () => {
    it('yes for a regular file and for a new file, with the count of names', async () => {
      const { root } = node();
      await node().put(`${root}/config`, 'x');
      const value = await askOne(node(), { ask: 'writable', path: `${root}/config` });
      expect(value).toMatchObject({ writable: true, links: 1 });
      expect(value.writable && value.freeBytes).toBeGreaterThan(0);
      expect(await askOne(node(), { ask: 'writable', path: `${root}/new` })).toMatchObject({ writable: true });
      expect(await node().names(root)).toEqual(['config']);
    });

    it('no for a directory and below a missing directory', async () => {
      const { root } = node();
      expect(await askOne(node(), { ask: 'writable', path: root })).toMatchObject({ writable: false, reason: 'notRegular' });
      expect(await askOne(node(), { ask: 'writable', path: `${root}/no/where` })).toMatchObject({ writable: false, reason: 'missingDirectory' });
    });

    it('no on a read-only mount', async (context) => {
      const { root, makeReadOnly } = node();
      if (!makeReadOnly) return context.skip('this node mounts nothing');
      await node().put(`${root}/ro/config`, 'x');
      const undo = await makeReadOnly(`${root}/ro`);
      try {
        expect(await askOne(node(), { ask: 'writable', path: `${root}/ro/config` })).toMatchObject({ writable: false, reason: 'readOnlyMount' });
      } finally {
        await undo();
      }
    });

    it('no for an immutable file', async (context) => {
      const { root, makeImmutable } = node();
      if (!makeImmutable) return context.skip('this node makes nothing immutable');
      await node().put(`${root}/config`, 'x');
      const undo = await makeImmutable(`${root}/config`);
      try {
        expect(await askOne(node(), { ask: 'writable', path: `${root}/config` })).toMatchObject({ writable: false, reason: 'immutable' });
      } finally {
        await undo();
      }
    });

    it('no on a full disk', async (context) => {
      const { root, fill } = node();
      if (!fill) return context.skip('this node fills no disk');
      await node().put(`${root}/full/config`, 'x');
      const undo = await fill(`${root}/full`);
      try {
        expect(await askOne(node(), { ask: 'writable', path: `${root}/full/config` })).toMatchObject({ writable: false, reason: 'noSpace' });
      } finally {
        await undo();
      }
    });
  });
}
