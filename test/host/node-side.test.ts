/** What the shell text does where the contract cannot look: races, foreign state, kills in the middle. Needs root. */
import { chmodSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf, toBase64 } from '../../src/core/bytes.js';
import type { Edit, Effect, EffectResult } from '../../src/core/effect.js';
import type { Answer, Query } from '../../src/core/query.js';
import { lock } from '../contracts/host-session-edits.js';
import { diesBefore } from './dies-before.js';
import { makeLocalNode, type LocalNode } from './local-node.js';

const isRoot = process.getuid?.() === 0;
const [OLD, NEW] = [Buffer.from('old\n'), Buffer.from('new\n')];
/** For those that try every instant of an act, one after the other. */
const LONG_MS = 900_000;
const RUN = 'run-1';

describe.skipIf(!isRoot)("the node's side (needs root)", () => {
  let node: LocalNode;
  beforeEach(async () => {
    node = await makeLocalNode({ shell: 'dash', loginShell: 'dash' });
  });
  afterEach(() => node.close());

  const ask = async (...queries: Query[]): Promise<Answer[]> => {
    const session = await node.connector.openToRead(node.host, new AbortController().signal);
    try {
      return await session.ask(queries);
    } finally {
      await session.close();
    }
  };
  /** Holds the node; `arrange` comes between the lock and the effect. */
  const perform = async (effect: Effect, arrange?: () => void): Promise<EffectResult> => {
    const session = await node.connector.openToWrite(node.host, new AbortController().signal);
    try {
      const locked = await session.perform(lock(RUN));
      if (!locked.ok) return locked;
      arrange?.();
      return await session.perform(effect);
    } finally {
      await session.close();
    }
  };
  const change = (): Edit => ({ do: 'write', path: join(node.root, 'config'), before: digestOf(OLD), after: digestOf(NEW), content: toBase64(NEW) });
  const edit = (): Effect => ({ do: 'edit', run: RUN, way: 'unguarded', edit: change() });
  const restore = (): Effect => ({ do: 'restore', run: RUN, edit: change(), earlier: [], foreign: 'refuse' });

  it('a file that grows each time it is read is changing, and spoils no other', async () => {
    const [growing, still] = [join(node.root, 'growing'), join(node.root, 'still')];
    await node.put(growing, 'x');
    await node.put(still, 'still');
    node.addProgram('cat', `#!/bin/sh\ncase "$*" in *growing*) echo more >>${growing} ;; esac\nexec /usr/bin/cat "$@"\n`);
    expect(await ask({ ask: 'file', path: growing }, { ask: 'file', path: still })).toMatchObject([{ ok: false, reason: 'changing' }, { ok: true, value: { exists: true, size: 5 } }]);
  });

  it('more files than fit into one answer are all read', async () => {
    const paths = Array.from({ length: 6 }, (_, index) => join(node.root, `file-${index}`));
    for (const path of paths) await node.put(path, Buffer.alloc(1024 * 1024, path));
    const answers = await ask(...paths.map((path): Query => ({ ask: 'file', path })));
    expect(answers.map((answer) => answer.ok && answer.ask === 'file' && answer.value.exists && answer.value.bytes.length)).toEqual(paths.map(() => 1024 * 1024));
  });

  it('a write that somebody overtakes between the copy and the rename is drift and untouched', async () => {
    const path = join(node.root, 'config');
    await node.put(path, OLD);
    node.addProgram('base64', `#!/bin/sh\n[ "\${1:-}" != -d ] || echo theirs >${path}\nexec /usr/bin/base64 "$@"\n`);
    expect(await perform(edit())).toMatchObject({ ok: false, effect: 'none', reason: 'drift' });
    expect(readFileSync(path, 'utf8')).toBe('theirs\n');
    expect(readdirSync(node.root)).toEqual(['config']);
  });

  it('a file that appears while one is being created is not overwritten', async () => {
    const path = join(node.root, 'config');
    node.addProgram('ln', `#!/bin/sh\necho theirs >${path}\nexec /usr/bin/ln "$@"\n`);
    const result = await perform({ do: 'edit', run: RUN, way: 'unguarded', edit: { do: 'write', path, before: 'absent', after: digestOf(NEW), content: toBase64(NEW) } });
    expect(result).toMatchObject({ ok: false, reason: 'exit' });
    expect(readFileSync(path, 'utf8')).toBe('theirs\n');
    expect(readdirSync(node.root)).toEqual(['config']);
  });

  it.each([
    ['a link', (state: string) => { mkdirSync(`${state}.real`, { mode: 0o700 }); symlinkSync(`${state}.real`, state); }],
    ['open to others', (state: string) => { mkdirSync(state); chmodSync(state, 0o755); }],
    ['a file', (state: string) => writeFileSync(state, '')],
  ])('refuses a state directory that is %s', async (_name, arrange) => {
    arrange(node.stateRoot);
    await node.put(join(node.root, 'config'), OLD);
    expect(await perform(edit())).toMatchObject({ ok: false, effect: 'none' });
    expect(readFileSync(join(node.root, 'config'))).toEqual(OLD);
  });

  it('keeps the first saved copy for root alone, with a line that tells what it is of', async () => {
    await node.put(join(node.root, 'config'), OLD, { mode: 0o640 });
    await perform(edit());
    const store = join(node.stateRoot, RUN);
    const names = readdirSync(store).sort();
    const copy = names.find((name) => /^[0-9a-f]{64}-[0-9a-f]{64}$/.test(name)) ?? '';
    expect(readFileSync(join(store, copy))).toEqual(OLD);
    expect(readFileSync(join(store, `${copy}.meta`), 'utf8')).toMatch(new RegExp(`^${digestOf(OLD)} ${digestOf(NEW)} 640 0 0 [0-9.]+ ${join(node.root, 'config')}\n$`));
    expect(await node.look(node.stateRoot)).toMatchObject({ mode: 0o700 });
    expect(await node.look(store)).toMatchObject({ mode: 0o700 });
    expect(readFileSync(join(store, 'log'), 'utf8')).toContain('edit ');
  });

  it('does not build on a saved copy that was damaged', async () => {
    await node.put(join(node.root, 'config'), OLD);
    await perform(edit());
    const store = join(node.stateRoot, RUN);
    const copy = readdirSync(store).find((name) => /^[0-9a-f]{64}-[0-9a-f]{64}$/.test(name)) ?? '';
    writeFileSync(join(store, copy), 'damaged');
    expect(await perform(restore())).toMatchObject({ ok: false, effect: 'none', reason: 'missingCopy' });
    expect(readFileSync(join(node.root, 'config'))).toEqual(NEW);
  });

  it('names a missing tool before it touches anything', async () => {
    const bare = await makeLocalNode({ shell: 'dash', loginShell: 'dash', connector: { searchPath: `${node.bin}:/nonexistent` } });
    try {
      for (const tool of ['base64', 'sha256sum', 'stat', 'cat', 'readlink', 'head', 'rm', 'grep', 'mkdir', 'mv', 'sync', 'date']) symlinkSync(`/usr/bin/${tool}`, join(node.bin, tool));
      await bare.put(join(bare.root, 'config'), OLD);
      const session = await bare.connector.openToWrite(bare.host, new AbortController().signal);
      expect(await session.perform(lock(RUN))).toMatchObject({ ok: true });
      expect(await session.perform({ do: 'edit', run: RUN, way: 'unguarded', edit: { ...change(), path: join(bare.root, 'config') } })).toMatchObject({ ok: false, effect: 'none', reason: 'missingTool' });
      await session.close();
    } finally {
      await bare.close();
    }
  });

  it.each([
    ['bash alone', ['bash', 'timeout'], { ok: true, value: { status: 200, body: 'ok' } }],
    ['wget', ['wget'], { ok: true, value: { status: 200, body: 'ok' } }],
    ['no tool for it', [], { ok: false, reason: 'missingTool' }],
  ])('fetches a page with %s', async (_name, tools, expected) => {
    const bare = await makeLocalNode({ shell: 'dash', loginShell: 'dash', connector: { searchPath: `${node.bin}:/nonexistent` } });
    try {
      for (const tool of ['base64', 'sha256sum', 'stat', 'cat', 'readlink', 'head', 'grep', ...tools]) symlinkSync(`/usr/bin/${tool}`, join(node.bin, tool));
      const session = await bare.connector.openToRead(bare.host, new AbortController().signal);
      expect(await session.ask([{ ask: 'http', url: bare.healthUrl ?? '', timeoutMs: 5_000 }])).toMatchObject([expected]);
      await session.close();
    } finally {
      await bare.close();
    }
  });

  it('a page that nobody serves is failed, one that does not answer in time is timeout', async () => {
    expect(await ask({ ask: 'http', url: 'http://127.0.0.1:1/healthz', timeoutMs: 2_000 })).toMatchObject([{ ok: false, reason: 'failed' }]);
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    expect(await ask({ ask: 'http', url: `http://127.0.0.1:${port}/`, timeoutMs: 500 })).toMatchObject([{ ok: false, reason: 'timeout' }]);
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('killed before any of its programs, an edit or its undo leaves old or new, and the next visit gets through', async () => {
    const path = join(node.root, 'config');
    const dies = (step: number): void => diesBefore(node, step, ['mktemp', 'mv', 'cp', 'rm', 'sync', 'stat', 'sha256sum', 'mkdir']);
    let survived = false;
    for (let step = 0; !survived; step += 1) {
      await node.put(path, OLD, { mode: 0o640, modifiedAt: 1_600_000_000 });
      const before = await node.look(path);
      for (const [effect, wanted] of [[edit(), NEW], [restore(), OLD]] as const) {
        survived = await perform(effect, () => dies(step)).then((result) => result.ok, () => false);
        expect([OLD.toString(), NEW.toString()]).toContain(readFileSync(path, 'utf8'));
        dies(-1);
        expect(await perform(effect)).toMatchObject({ ok: true });
        expect(readFileSync(path)).toEqual(wanted);
        expect(readdirSync(node.root)).toEqual(['config']);
      }
      expect(await node.look(path)).toEqual(before);
      expect(step).toBeLessThan(60);
    }
  }, LONG_MS);

  it('a saved copy that lost its owner on the way is not built on', async () => {
    const path = join(node.root, 'config');
    await node.put(path, OLD, { mode: 0o640 });
    node.addProgram('cp', '#!/bin/sh\n/usr/bin/cp "$@" || exit\nfor last do :; done\ncase "$*" in "-a "*) chmod 0777 "$last" ;; esac\n');
    expect(await perform(edit())).toMatchObject({ ok: false, effect: 'none', reason: 'exit' });
    expect(readFileSync(path)).toEqual(OLD);
  });

  it.each([
    ['fails', 'exit 1'],
    ['only seems to work', 'exit 0'],
  ])('where the copying of mode, owner and attributes %s, the file stays as it is', async (_name, outcome) => {
    const path = join(node.root, 'config');
    await node.put(path, OLD, { mode: 0o640 });
    node.addProgram('cp', `#!/bin/sh\ncase "$*" in --attributes-only*) ${outcome} ;; esac\nexec /usr/bin/cp "$@"\n`);
    expect(await perform(edit())).toMatchObject({ ok: false, effect: 'none', reason: 'exit' });
    expect(readFileSync(path)).toEqual(OLD);
    expect(readdirSync(node.root)).toEqual(['config']);
  });

  it('an edited file whose mode is not the old one is a failure, and the undo puts it right', async () => {
    const path = join(node.root, 'config');
    await node.put(path, OLD, { mode: 0o640 });
    node.addProgram('mv', `#!/bin/sh\n/usr/bin/mv "$@" || exit\nfor last do :; done\n[ "$last" != ${path} ] || chmod 0600 "$last"\n`);
    expect(await perform(edit())).toMatchObject({ ok: false, effect: 'unknown', reason: 'exit' });
    node.addProgram('mv', '#!/bin/sh\nexec /usr/bin/mv "$@"\n');
    expect(await perform(restore())).toMatchObject({ ok: true });
    expect(await node.look(path)).toMatchObject({ bytes: new Uint8Array(OLD), mode: 0o640 });
  });

  it('a logger that neither ends nor stops reading holds nothing up', async () => {
    await node.put(join(node.root, 'config'), OLD);
    node.addProgram('logger', '#!/bin/sh\ncat >/dev/null\nexec sleep 600\n');
    expect(await perform(edit())).toMatchObject({ ok: true, happened: 'now' });
  });

  it.each([
    ['shares the mounts of pid 1', 'dash', true],
    ['has mounts of its own', 'unshare -m dash', false],
  ])('pid 1 is of the host for a shell that %s: %s, %s', async (_name, command, expected) => {
    // A pid namespace of its own: not every machine lets its tests look at its pid 1.
    node.addProgram('shell', `#!/bin/sh\nexec unshare -pf --mount-proc dash -c '${command} "$@"; exit' fm "$@"\n`);
    const inside = await makeLocalNode({ shell: join(node.bin, 'shell'), loginShell: 'dash' });
    try {
      const session = await inside.connector.openToRead(inside.host, new AbortController().signal);
      expect(await session.ask([{ ask: 'process', pid: 1 }])).toMatchObject([{ ok: true, value: { process: { hostNamespaces: expected } } }]);
      await session.close();
    } finally {
      await inside.close();
    }
  });

  it('a restart that does not end is ended, and said to be unknown', async () => {
    node.addProgram('systemctl', '#!/bin/sh\ncase "$*" in *restart*) exec sleep 60 ;; esac\nexec true\n');
    expect(await perform({ do: 'restart', run: RUN, way: 'unguarded', unit: 'x.service', timeoutMs: 900 })).toMatchObject({ ok: false, effect: 'unknown', reason: 'timeout' });
    node.addProgram('systemctl', '#!/bin/sh\ncase $1 in end) kill "$(cat "${0%/*}/unit.pid")" ;; esac\n');
  });
});
