/** What a visit that was given up may still do when the node wakes up: nothing. Needs root. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf, toBase64 } from '../../src/core/bytes.js';
import type { Edit, Effect, EffectResult } from '../../src/core/effect.js';
import { lock, restoresOf } from '../contracts/host-session-edits.js';
import { makeLocalNode, type LocalNode } from './local-node.js';

const isRoot = process.getuid?.() === 0;
const [OLD, NEW] = [Buffer.from('old\n'), Buffer.from('new\n')];
const LONG_AGO = 1_600_000_000;
/** Waits for the other end of a FIFO, in a process of its own, so that a test which waits in vain can end. */
const meet = (words: string): Promise<unknown> => promisify(execFile)('timeout', ['200', 'sh', '-c', words]);

describe.skipIf(!isRoot).each(['dash', 'bash', 'busybox sh'])('a visit of %s that was given up and wakes late (needs root)', (shell) => {
  let node: LocalNode;
  let leftBehind: Promise<unknown>[];
  beforeEach(async () => {
    leftBehind = [];
    node = await makeLocalNode({ shell, loginShell: 'dash', busyboxTools: shell.startsWith('busybox'), onLeftBehind: (ended) => leftBehind.push(ended) });
    for (const fifo of ['reached', 'release']) execFileSync('mkfifo', [join(node.bin, fifo)]);
  });
  afterEach(async () => {
    await Promise.all(leftBehind);
    await node.close();
  });

  const path = (): string => join(node.root, 'config');
  const change = (): Edit => ({ do: 'write', path: path(), before: digestOf(OLD), after: digestOf(NEW), content: toBase64(NEW) });
  const creation = (): Edit => ({ do: 'write', path: path(), before: 'absent', after: digestOf(NEW), content: toBase64(NEW) });
  const removal = (): Edit => ({ do: 'remove', path: path(), before: digestOf(OLD) });
  const performed = async (...effects: Effect[]): Promise<EffectResult[]> => {
    const session = await node.connector.openToWrite(node.host, new AbortController().signal);
    const results: EffectResult[] = [];
    await session.perform(lock('run-1', 'session-2'));
    for (const effect of effects) results.push(await session.perform(effect));
    await session.close();
    return results;
  };

  /** The program waits once, when the words it is called with match: says so, and goes on when it is released. */
  const hold = (program: string, words: string): void => {
    const [once, real] = [join(node.bin, 'held'), shell.startsWith('busybox') ? `/usr/bin/busybox ${program}` : `/usr/bin/${program}`];
    node.addProgram(program, `#!/bin/sh\ncase "$*" in ${words}) if mkdir ${once} 2>/dev/null; then echo >${node.bin}/reached; cat ${node.bin}/release >/dev/null; fi ;; esac\nexec ${real} "$@"\n`);
  };
  /** Takes the node, performs until an effect is held, gives that visit up, lets `meanwhile` happen, releases it and waits for its end. */
  const wakeAfter = async (held: readonly [program: string, words: string], effects: Effect[], meanwhile: () => Promise<void>): Promise<void> => {
    const interrupt = new AbortController();
    const session = await node.connector.openToWrite(node.host, interrupt.signal);
    await session.perform(lock('run-1'));
    hold(...held);
    const last = effects.reduce<Promise<unknown>>((before, effect) => before.then(() => session.perform(effect)), Promise.resolve()).catch(() => undefined);
    await meet(`cat ${node.bin}/reached`);
    interrupt.abort();
    await last;
    await meanwhile();
    await meet(`echo >${node.bin}/release`);
    await Promise.all(leftBehind);
  };

  const arm = (...edits: Edit[]): Effect => ({ do: 'arm', run: 'run-1', order: { afterMs: 600_000, restores: restoresOf(edits), activations: [] } });
  const undo = (edit: Edit): Effect => ({ do: 'restore', run: 'run-1', edit, earlier: [], foreign: 'refuse' });

  it.each([
    ['before it took its place', 'stat', '*%u*run-1'],
    ['while its copy is made durable', 'sync', '*'],
    ['before its temporary file', 'mktemp', '*'],
    ['right before the rename', 'mv', '*/config'],
  ])('does not edit what was undone meanwhile, held %s', async (_name, program, words) => {
    await node.put(path(), OLD, { mode: 0o640, modifiedAt: LONG_AGO });
    const before = await node.look(path());
    utimesSync(node.root, LONG_AGO, LONG_AGO);
    await wakeAfter([program, words], [{ do: 'edit', run: 'run-1', way: 'unguarded', edit: change() }], async () => {
      expect(await performed(undo(change()))).toMatchObject([{ ok: true, happened: 'already' }]);
    });
    expect(await node.look(path())).toEqual(before);
    expect(readdirSync(node.root)).toEqual(['config']);
  });

  it('does not create what was undone meanwhile', async () => {
    await wakeAfter(['ln', '*/config'], [{ do: 'edit', run: 'run-1', way: 'unguarded', edit: creation() }], async () => {
      expect(await performed(undo(creation()))).toMatchObject([{ ok: true, happened: 'already' }]);
    });
    expect(readdirSync(node.root)).toEqual([]);
  });

  it('does not remove what was undone meanwhile', async () => {
    await node.put(path(), OLD);
    await wakeAfter(['mv', '*/config*'], [{ do: 'edit', run: 'run-1', way: 'unguarded', edit: removal() }], async () => {
      expect(await performed(undo(removal()))).toMatchObject([{ ok: true, happened: 'already' }]);
    });
    expect(readFileSync(path())).toEqual(OLD);
    expect(readdirSync(node.root)).toEqual(['config']);
  });

  it('does not undo what a later visit did again', async () => {
    await node.put(path(), OLD);
    await wakeAfter(['cp', '*state*root*'], [{ do: 'edit', run: 'run-1', way: 'unguarded', edit: change() }, undo(change())], async () => {
      expect(await performed({ do: 'edit', run: 'run-1', way: 'unguarded', edit: change() })).toMatchObject([{ ok: true, happened: 'already' }]);
    });
    expect(readFileSync(path())).toEqual(NEW);
    expect(readdirSync(node.root)).toEqual(['config']);
  });

  it('does not restart what was undone meanwhile', async () => {
    await node.put(path(), OLD);
    await performed({ do: 'edit', run: 'run-1', way: 'unguarded', edit: change() });
    // The last that a visit waits for before its restart: the look at the run's directory.
    await wakeAfter(['stat', '*%u*run-1'], [{ do: 'restart', run: 'run-1', way: 'unguarded', unit: 'fm-test.service', timeoutMs: 5_000 }], async () => {
      expect(await performed(undo(change()))).toMatchObject([{ ok: true, happened: 'now' }]);
    });
    expect(readFileSync(join(node.bin, 'systemctl.log'), 'utf8')).not.toContain('restart');
    expect(readFileSync(path())).toEqual(OLD);
  });

  it('does nothing when a person took its lock away and another run works there', async () => {
    await node.put(path(), OLD);
    await wakeAfter(['mktemp', '*'], [{ do: 'edit', run: 'run-1', way: 'unguarded', edit: change() }], async () => {
      const session = await node.connector.openToWrite(node.host, new AbortController().signal);
      const later: Effect[] = [{ do: 'breakLock', session: 'session-1' }, lock('run-2', 'session-2'), { do: 'edit', run: 'run-2', way: 'unguarded', edit: { ...creation(), path: join(node.root, 'other') } }];
      for (const effect of later) expect(await session.perform(effect)).toMatchObject({ ok: true, happened: 'now' });
      await session.close();
    });
    expect(readFileSync(path())).toEqual(OLD);
    expect(readdirSync(node.root)).toEqual(['config', 'other']);
  });

  describe('whose guard fired meanwhile', () => {
    const fire = async (): Promise<void> => node.fireGuard?.('run-1', 'timer');

    it.each([
      ['while its copy is made durable', 'sync', '*'],
      ['before its temporary file', 'mktemp', '*'],
      ['right before the rename', 'mv', '*/config'],
    ])('edits nothing, held %s', async (_name, program, words) => {
      await node.put(path(), OLD, { mode: 0o640, modifiedAt: LONG_AGO });
      const before = await node.look(path());
      await performed(arm(change()));
      await wakeAfter([program, words], [{ do: 'edit', run: 'run-1', way: 'guarded', edit: change() }], fire);
      expect(await node.look(path())).toEqual(before);
      expect(readdirSync(node.root)).toEqual(['config']);
    });

    it('creates and removes nothing', async () => {
      await node.put(path(), OLD);
      await performed(arm(removal()));
      await wakeAfter(['mv', '*/config*'], [{ do: 'edit', run: 'run-1', way: 'guarded', edit: removal() }], fire);
      expect(readFileSync(path())).toEqual(OLD);
      expect(readdirSync(node.root)).toEqual(['config']);
    });

    it('restarts nothing', async () => {
      await performed(arm());
      await wakeAfter(['stat', '*%u*run-1'], [{ do: 'restart', run: 'run-1', way: 'guarded', unit: 'fm-test.service', timeoutMs: 5_000 }], fire);
      expect(readFileSync(join(node.bin, 'systemctl.log'), 'utf8')).not.toContain('restart');
    });

    it('disarms nothing', async () => {
      await node.put(path(), OLD);
      await performed(arm(change()), { do: 'edit', run: 'run-1', way: 'guarded', edit: change() });
      await wakeAfter(['mv', '*armed*'], [{ do: 'disarm', run: 'run-1' }], fire);
      expect(readFileSync(path())).toEqual(OLD);
    });
  });

  it('arms nothing that a later visit has disarmed', async () => {
    await wakeAfter(['mv', '*/armed'], [arm()], async () => {
      expect(await performed(arm(), { do: 'disarm', run: 'run-1' })).toMatchObject([{ ok: true }, { ok: true, happened: 'now' }]);
    });
    expect(readdirSync(join(node.stateRoot, 'run-1', 'guard'))).toContain('disarmed');
    expect(readdirSync(join(node.stateRoot, 'run-1', 'guard'))).not.toContain('armed');
  });

  it('disarms nothing that a later visit has armed, when its own arming fails', async () => {
    await wakeAfter(['mv', '*/armed'], [arm()], async () => {
      expect(await performed(arm())).toMatchObject([{ ok: true, happened: 'now' }]);
    });
    expect(readdirSync(join(node.stateRoot, 'run-1', 'guard'))).toContain('armed');
  });

  it('that breaks a silent lock puts it back when its holder came to life meanwhile', async () => {
    await node.put(path(), OLD);
    await performed();
    await node.silence(900_000);
    hold('mv', '*broken-*');
    const interrupt = new AbortController();
    const breaker = await node.connector.openToWrite(node.host, interrupt.signal);
    const breaking = breaker.perform(lock('run-2', 'session-9'));
    await meet(`cat ${node.bin}/reached`);
    const holder = await node.connector.openToWrite(node.host, new AbortController().signal);
    expect(await holder.perform(lock('run-1', 'session-3'))).toMatchObject({ ok: true, happened: 'now' });
    expect(await holder.perform({ do: 'edit', run: 'run-1', way: 'unguarded', edit: change() })).toMatchObject({ ok: true, happened: 'now' });
    await meet(`echo >${node.bin}/release`);
    expect(await breaking).toMatchObject({ ok: false, effect: 'none', reason: 'locked' });
    expect(await holder.perform(undo(change()))).toMatchObject({ ok: true, happened: 'now' });
    await Promise.all([breaker.close(), holder.close()]);
  });
});
