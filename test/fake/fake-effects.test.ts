/** The fake node performs effects as the host protocol promises: nothing on drift, one saved copy, everything back on restore. */
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/bytes.js';
import type { Edit } from '../../src/core/effect.js';
import { copyPath } from './fake-effects.js';
import { createFakeNode, type FakeNode } from './fake-node.js';
import { eksAl2 } from './layouts.js';
import { editOf, openVisit, restoreOf, writeOf, type DirectVisit } from './open-visit.js';
import { createVirtualClock } from './virtual-clock.js';

const PATH = eksAl2.configPath;
const RUN = 'run-1';

function makeNode(): { readonly node: FakeNode; readonly visit: DirectVisit } {
  const clock = createVirtualClock();
  const node = createFakeNode({ name: 'node-1', clock, spec: { layout: eksAl2, ailment: '' } });
  node.files.seed(PATH, { content: 'old', mode: 0o640, uid: 3, gid: 4, modifiedAt: 1_700_000_000.25 });
  clock.advance(60_000);
  return { node, visit: openVisit(node, RUN) };
}

const write = (before: string, after: string, path = PATH): Edit => writeOf(path, before, after);

const text = (node: FakeNode, path = PATH): string | undefined => {
  const bytes = node.files.read(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
};

const temporaryFiles = (node: FakeNode): string[] => node.files.paths().filter((path) => path.includes('fleetmend-new'));

describe('an edit', () => {
  test('keeps mode and owner, and its undo brings back content, mode, owner and mtime', () => {
    const { node, visit } = makeNode();
    const edit = write('old', 'new');
    expect(visit.perform(editOf(RUN, edit))).toEqual({ ok: true, happened: 'now' });
    expect(text(node)).toBe('new');
    expect(node.files.stat(PATH)).toMatchObject({ mode: 0o640, uid: 3, gid: 4 });
    expect(node.files.stat(PATH)?.modifiedAt).toBeGreaterThan(1_700_000_001);
    expect(visit.perform(editOf(RUN, edit))).toEqual({ ok: true, happened: 'already' });
    expect(visit.perform(restoreOf(RUN, edit))).toEqual({ ok: true, happened: 'now' });
    expect(text(node)).toBe('old');
    expect(node.files.stat(PATH)).toMatchObject({ mode: 0o640, uid: 3, gid: 4, modifiedAt: 1_700_000_000.25 });
    expect(visit.perform(restoreOf(RUN, edit))).toEqual({ ok: true, happened: 'already' });
    expect(temporaryFiles(node)).toEqual([]);
  });

  test('of a file with other bytes is drift and changes nothing, and so is its undo', () => {
    const { node, visit } = makeNode();
    expect(visit.perform(editOf(RUN, write('other', 'new')))).toMatchObject({ ok: false, effect: 'none', reason: 'drift' });
    expect(text(node)).toBe('old');
    const edit = write('old', 'new');
    visit.perform(editOf(RUN, edit));
    node.files.overwrite(PATH, 'by hand');
    expect(visit.perform(restoreOf(RUN, edit))).toMatchObject({ ok: false, effect: 'none', reason: 'drift' });
    expect(text(node)).toBe('by hand');
  });

  test('of the same file twice in one run is undone step by step', () => {
    const { node, visit } = makeNode();
    const first = write('old', 'middle');
    const second = write('middle', 'new');
    visit.perform(editOf(RUN, first));
    visit.perform(editOf(RUN, second));
    expect(visit.perform(restoreOf(RUN, second)).ok).toBe(true);
    expect(text(node)).toBe('middle');
    expect(visit.perform(restoreOf(RUN, first)).ok).toBe(true);
    expect(text(node)).toBe('old');
  });

  test('that creates a file is undone by removing it, and a removal by putting it back', () => {
    const { node, visit } = makeNode();
    const created = write('absent', 'new', '/etc/systemd/system/kubelet.service.d/50-x.conf');
    visit.perform(editOf(RUN, created));
    expect(text(node, created.path)).toBe('new');
    visit.perform(restoreOf(RUN, created));
    expect(node.files.stat(created.path)).toBeUndefined();
    const removal: Edit = { do: 'remove', path: PATH, before: digestOf(Buffer.from('old')) };
    visit.perform(editOf(RUN, removal));
    expect(node.files.stat(PATH)).toBeUndefined();
    visit.perform(restoreOf(RUN, removal));
    expect(text(node)).toBe('old');
    expect(node.files.stat(PATH)).toMatchObject({ mode: 0o640, uid: 3, modifiedAt: 1_700_000_000.25 });
  });

  test('that others changed since is undone when asked, and what they wrote is kept', () => {
    const { node, visit } = makeNode();
    const edit = write('old', 'new');
    visit.perform(editOf(RUN, edit));
    node.files.overwrite(PATH, 'by hand');
    expect(visit.perform(restoreOf(RUN, edit))).toMatchObject({ ok: false, reason: 'drift' });
    const result = visit.perform(restoreOf(RUN, edit, 'save'));
    const kept = copyPath(RUN, { ...edit, before: digestOf(Buffer.from('by hand')) });
    expect(result).toMatchObject({ ok: true, happened: 'now', detail: expect.stringContaining(kept) as string });
    expect([text(node), text(node, kept)]).toEqual(['old', 'by hand']);
    expect(node.files.stat(PATH)).toMatchObject({ mode: 0o640, uid: 3, modifiedAt: 1_700_000_000.25 });
    expect(node.files.stat(kept)).toMatchObject({ mode: 0o640, uid: 3, gid: 4 });
  });

  test('in whose place is now a link is drift, also when asked to save; where nothing is, nothing is kept', () => {
    const { node, visit } = makeNode();
    const edit = write('old', 'new');
    visit.perform(editOf(RUN, edit));
    node.files.seed(PATH, { link: '/etc/other' });
    expect(visit.perform(restoreOf(RUN, edit, 'save'))).toMatchObject({ ok: false, effect: 'none', reason: 'drift' });
    node.files.remove(PATH);
    expect(visit.perform(restoreOf(RUN, edit))).toMatchObject({ ok: false, effect: 'none', reason: 'drift' });
    expect(visit.perform(restoreOf(RUN, edit, 'save'))).toEqual({ ok: true, happened: 'now' });
    expect(text(node)).toBe('old');
  });

  test('whose saved copy is gone is not undone by a guess', () => {
    const { node, visit } = makeNode();
    const edit = write('old', 'new');
    visit.perform(editOf(RUN, edit));
    node.files.remove(copyPath(RUN, edit));
    expect(visit.perform(restoreOf(RUN, edit))).toMatchObject({ ok: false, effect: 'none', reason: 'missingCopy' });
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
    const { node, visit } = makeNode();
    hinder(node);
    expect(visit.perform(editOf(RUN, write('old', 'new')))).toMatchObject({ ok: false, effect: 'none', reason });
    expect(text(node)).toBe('old');
    expect(temporaryFiles(node)).toEqual([]);
    if (asked !== undefined) expect(node.ask({ ask: 'writable', path: PATH })).toMatchObject({ ok: true, value: { writable: false, reason: asked } });
  });

  test('who is not root can neither read a private file nor change anything', () => {
    const { node } = makeNode();
    expect(node.ask({ ask: 'file', path: PATH }, { uid: 1000 })).toMatchObject({ ok: false, reason: 'denied' });
    expect(node.ask({ ask: 'writable', path: PATH }, { uid: 1000 })).toMatchObject({ ok: true, value: { reason: 'notRoot' } });
    expect(openVisit(node, RUN, { lock: false, uid: 1000 }).perform(editOf(RUN, write('old', 'new')))).toMatchObject({ ok: false, effect: 'none', reason: 'denied' });
    expect(text(node)).toBe('old');
  });
});

describe('files', () => {
  test('links are followed to the real file, and a link is never replaced', () => {
    const { node } = makeNode();
    node.files.seed('/etc/link.json', { link: 'kubernetes/kubelet/kubelet-config.json' });
    expect(node.ask({ ask: 'file', path: '/etc/link.json' })).toMatchObject({ ok: true, value: { realPath: PATH, viaLink: true, bytes: Buffer.from('old') } });
    expect(node.files.lstat('/etc/link.json')?.kind).toBe('link');
  });

  test('hard links share an inode and are counted', () => {
    const { node, visit } = makeNode();
    node.files.seed('/etc/other', { hardLink: PATH });
    expect(node.ask({ ask: 'writable', path: PATH })).toMatchObject({ ok: true, value: { writable: true, links: 2 } });
    visit.perform(editOf(RUN, write('old', 'new')));
    expect(text(node, '/etc/other')).toBe('old');
  });

  test('a walk lists links without entering them', () => {
    const { node } = makeNode();
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
