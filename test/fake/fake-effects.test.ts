/** The fake node performs effects as the host protocol promises: nothing on drift, one saved copy, everything back on restore. */
import { describe, expect, test } from 'vitest';
import { digestOf, toBase64 } from '../../src/core/bytes.js';
import type { Edit } from '../../src/core/effect.js';
import { copyPath } from './fake-effects.js';
import { createFakeNode, type FakeNode } from './fake-node.js';
import { eksAl2 } from './layouts.js';
import { createVirtualClock } from './virtual-clock.js';

const PATH = eksAl2.configPath;
const RUN = 'run-1';

function makeNode(): FakeNode {
  const clock = createVirtualClock();
  const node = createFakeNode({ name: 'node-1', clock, spec: { layout: eksAl2, ailment: '' } });
  node.files.seed(PATH, { content: 'old', mode: 0o640, uid: 3, gid: 4, modifiedAt: 1_700_000_000.25 });
  clock.advance(60_000);
  return node;
}

function write(before: string | 'absent', after: string, path = PATH): Edit {
  const bytes = Buffer.from(after);
  return { do: 'write', path, before: before === 'absent' ? 'absent' : digestOf(Buffer.from(before)), after: digestOf(bytes), content: toBase64(bytes) };
}

const text = (node: FakeNode, path = PATH): string | undefined => {
  const bytes = node.files.read(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
};

const temporaryFiles = (node: FakeNode): string[] => node.files.paths().filter((path) => path.includes('fleetmend-new'));

describe('an edit', () => {
  test('keeps mode and owner, and its undo brings back content, mode, owner and mtime', () => {
    const node = makeNode();
    const edit = write('old', 'new');
    expect(node.perform({ do: 'edit', run: RUN, edit })).toEqual({ ok: true, happened: 'now' });
    expect(text(node)).toBe('new');
    expect(node.files.stat(PATH)).toMatchObject({ mode: 0o640, uid: 3, gid: 4 });
    expect(node.files.stat(PATH)?.modifiedAt).toBeGreaterThan(1_700_000_001);
    expect(node.perform({ do: 'edit', run: RUN, edit })).toEqual({ ok: true, happened: 'already' });
    expect(node.perform({ do: 'restore', run: RUN, edit })).toEqual({ ok: true, happened: 'now' });
    expect(text(node)).toBe('old');
    expect(node.files.stat(PATH)).toMatchObject({ mode: 0o640, uid: 3, gid: 4, modifiedAt: 1_700_000_000.25 });
    expect(node.perform({ do: 'restore', run: RUN, edit })).toEqual({ ok: true, happened: 'already' });
    expect(temporaryFiles(node)).toEqual([]);
  });

  test('of a file with other bytes is drift and changes nothing, and so is its undo', () => {
    const node = makeNode();
    expect(node.perform({ do: 'edit', run: RUN, edit: write('other', 'new') })).toMatchObject({ ok: false, effect: 'none', reason: 'drift' });
    expect(text(node)).toBe('old');
    const edit = write('old', 'new');
    node.perform({ do: 'edit', run: RUN, edit });
    node.files.overwrite(PATH, 'by hand');
    expect(node.perform({ do: 'restore', run: RUN, edit })).toMatchObject({ ok: false, effect: 'none', reason: 'drift' });
    expect(text(node)).toBe('by hand');
  });

  test('of the same file twice in one run is undone step by step', () => {
    const node = makeNode();
    const first = write('old', 'middle');
    const second = write('middle', 'new');
    node.perform({ do: 'edit', run: RUN, edit: first });
    node.perform({ do: 'edit', run: RUN, edit: second });
    expect(node.perform({ do: 'restore', run: RUN, edit: second }).ok).toBe(true);
    expect(text(node)).toBe('middle');
    expect(node.perform({ do: 'restore', run: RUN, edit: first }).ok).toBe(true);
    expect(text(node)).toBe('old');
  });

  test('that creates a file is undone by removing it, and a removal by putting it back', () => {
    const node = makeNode();
    const created = write('absent', 'new', '/etc/systemd/system/kubelet.service.d/50-x.conf');
    node.perform({ do: 'edit', run: RUN, edit: created });
    expect(text(node, created.path)).toBe('new');
    node.perform({ do: 'restore', run: RUN, edit: created });
    expect(node.files.stat(created.path)).toBeUndefined();
    const removal: Edit = { do: 'remove', path: PATH, before: digestOf(Buffer.from('old')) };
    node.perform({ do: 'edit', run: RUN, edit: removal });
    expect(node.files.stat(PATH)).toBeUndefined();
    node.perform({ do: 'restore', run: RUN, edit: removal });
    expect(text(node)).toBe('old');
    expect(node.files.stat(PATH)).toMatchObject({ mode: 0o640, uid: 3, modifiedAt: 1_700_000_000.25 });
  });

  test('whose saved copy is gone is not undone by a guess', () => {
    const node = makeNode();
    const edit = write('old', 'new');
    node.perform({ do: 'edit', run: RUN, edit });
    node.files.remove(copyPath(RUN, edit));
    expect(node.perform({ do: 'restore', run: RUN, edit })).toMatchObject({ ok: false, effect: 'none', reason: 'missingCopy' });
    expect(text(node)).toBe('new');
  });
});

describe('a hindrance', () => {
  test.each([
    ['readOnly', (node: FakeNode) => node.files.mountReadOnly('/etc'), 'readOnlyMount'],
    ['immutable', (node: FakeNode) => Object.assign(node.files.stat(PATH) ?? {}, { immutable: true }), 'immutable'],
    ['noSpace', (node: FakeNode) => node.files.setFreeBytes('/etc', 0), 'noSpace'],
    ['noSpace', (node: FakeNode) => node.files.setFreeBytes('/var', 0), undefined],
  ] as const)('%s: the edit says so, the file is as before and nothing is left behind', (reason, hinder, asked) => {
    const node = makeNode();
    hinder(node);
    expect(node.perform({ do: 'edit', run: RUN, edit: write('old', 'new') })).toMatchObject({ ok: false, effect: 'none', reason });
    expect(text(node)).toBe('old');
    expect(temporaryFiles(node)).toEqual([]);
    if (asked !== undefined) expect(node.ask({ ask: 'writable', path: PATH })).toMatchObject({ ok: true, value: { writable: false, reason: asked } });
  });

  test('who is not root can neither read a private file nor change anything', () => {
    const node = makeNode();
    expect(node.ask({ ask: 'file', path: PATH }, 1000)).toMatchObject({ ok: false, reason: 'denied' });
    expect(node.ask({ ask: 'writable', path: PATH }, 1000)).toMatchObject({ ok: true, value: { reason: 'notRoot' } });
    expect(node.perform({ do: 'edit', run: RUN, edit: write('old', 'new') }, 1000)).toMatchObject({ ok: false, effect: 'none', reason: 'denied' });
    expect(text(node)).toBe('old');
  });
});

describe('files', () => {
  test('links are followed to the real file, and a link is never replaced', () => {
    const node = makeNode();
    node.files.seed('/etc/link.json', { link: 'kubernetes/kubelet/kubelet-config.json' });
    expect(node.ask({ ask: 'file', path: '/etc/link.json' })).toMatchObject({ ok: true, value: { realPath: PATH, viaLink: true, bytes: Buffer.from('old') } });
    expect(node.files.lstat('/etc/link.json')?.kind).toBe('link');
  });

  test('hard links share an inode and are counted', () => {
    const node = makeNode();
    node.files.seed('/etc/other', { hardLink: PATH });
    expect(node.ask({ ask: 'writable', path: PATH })).toMatchObject({ ok: true, value: { writable: true, links: 2 } });
    node.perform({ do: 'edit', run: RUN, edit: write('old', 'new') });
    expect(text(node, '/etc/other')).toBe('old');
  });

  test('a walk lists links without entering them', () => {
    const node = makeNode();
    node.files.seed('/etc/d/b/x.conf', '');
    node.files.seed('/etc/d/a.conf', '');
    node.files.seed('/etc/d/up', { link: '..' });
    node.files.seed('/etc/d/gone', { link: '/nowhere' });
    expect(node.ask({ ask: 'directory', path: '/etc/d' })).toMatchObject({
      value: {
        entries: [
          { path: 'a.conf', kind: 'file' }, { path: 'b', kind: 'directory' }, { path: 'b/x.conf', kind: 'file' },
          { path: 'gone', kind: 'link', target: 'missing' }, { path: 'up', kind: 'link', target: 'directory' },
        ],
      },
    });
    expect(node.files.realPath('/etc/d/up/d/a.conf')).toBe('/etc/d/a.conf');
  });
});
