/** What a visit that was given up may still do when the node wakes up: nothing. Needs root. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf, toBase64 } from '../../src/core/bytes.js';
import type { Edit, Effect, EffectResult } from '../../src/core/effect.js';
import { makeLocalNode, type LocalNode } from './local-node.js';

const isRoot = process.getuid?.() === 0;
const [OLD, NEW] = [Buffer.from('old\n'), Buffer.from('new\n')];
const LONG_AGO = 1_600_000_000;
/** Waits for the other end of a FIFO, in a process of its own, so that a test which waits in vain can end. */
const meet = (words: string): Promise<unknown> => promisify(execFile)('timeout', ['40', 'sh', '-c', words]);

describe.skipIf(!isRoot).each(['dash', 'bash', 'busybox sh'])('a visit of %s that was given up and wakes late (needs root)', { timeout: 60_000 }, (shell) => {
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
    for (const effect of effects) results.push(await session.perform(effect));
    await session.close();
    return results;
  };

  /** The program waits once, when the words it is called with match: says so, and goes on when it is released. */
  const hold = (program: string, words: string): void => {
    const [once, real] = [join(node.bin, 'held'), shell.startsWith('busybox') ? `/usr/bin/busybox ${program}` : `/usr/bin/${program}`];
    node.addProgram(program, `#!/bin/sh\ncase "$*" in ${words}) if mkdir ${once} 2>/dev/null; then echo >${node.bin}/reached; cat ${node.bin}/release >/dev/null; fi ;; esac\nexec ${real} "$@"\n`);
  };
  /** Performs until the last effect is held, gives that visit up, lets `meanwhile` happen, releases it and waits for its end. */
  const wakeAfter = async (effects: Effect[], meanwhile: () => Promise<void>): Promise<void> => {
    const interrupt = new AbortController();
    const session = await node.connector.openToWrite(node.host, interrupt.signal);
    const last = effects.reduce<Promise<unknown>>((before, effect) => before.then(() => session.perform(effect)), Promise.resolve()).catch(() => undefined);
    await meet(`cat ${node.bin}/reached`);
    interrupt.abort();
    await last;
    await meanwhile();
    await meet(`echo >${node.bin}/release`);
    await Promise.all(leftBehind);
  };

  it.each([
    ['before it took its place', 'mkdir', '*state*'],
    ['while its copy is made durable', 'sync', '*'],
    ['before its temporary file', 'mktemp', '*'],
    ['right before the rename', 'mv', '*/config'],
  ])('does not edit what was undone meanwhile, held %s', async (_name, program, words) => {
    await node.put(path(), OLD, { mode: 0o640, modifiedAt: LONG_AGO });
    const before = await node.look(path());
    utimesSync(node.root, LONG_AGO, LONG_AGO);
    hold(program, words);
    await wakeAfter([{ do: 'edit', run: 'run-1', edit: change() }], async () => {
      expect(await performed({ do: 'restore', run: 'run-1', edit: change() })).toMatchObject([{ ok: true, happened: 'already' }]);
    });
    expect(await node.look(path())).toEqual(before);
    expect(readdirSync(node.root)).toEqual(['config']);
  });

  it('does not create what was undone meanwhile', async () => {
    hold('ln', '*/config');
    await wakeAfter([{ do: 'edit', run: 'run-1', edit: creation() }], async () => {
      expect(await performed({ do: 'restore', run: 'run-1', edit: creation() })).toMatchObject([{ ok: true, happened: 'already' }]);
    });
    expect(readdirSync(node.root)).toEqual([]);
  });

  it('does not remove what was undone meanwhile', async () => {
    await node.put(path(), OLD);
    hold('mv', '*/config*');
    await wakeAfter([{ do: 'edit', run: 'run-1', edit: removal() }], async () => {
      expect(await performed({ do: 'restore', run: 'run-1', edit: removal() })).toMatchObject([{ ok: true, happened: 'already' }]);
    });
    expect(readFileSync(path())).toEqual(OLD);
    expect(readdirSync(node.root)).toEqual(['config']);
  });

  it('does not undo what a later visit did again', async () => {
    await node.put(path(), OLD);
    hold('cp', '*state*root*');
    await wakeAfter([{ do: 'edit', run: 'run-1', edit: change() }, { do: 'restore', run: 'run-1', edit: change() }], async () => {
      expect(await performed({ do: 'edit', run: 'run-1', edit: change() })).toMatchObject([{ ok: true, happened: 'already' }]);
    });
    expect(readFileSync(path())).toEqual(NEW);
    expect(readdirSync(node.root)).toEqual(['config']);
  });

  it('does not restart what was undone meanwhile', async () => {
    await node.put(path(), OLD);
    await performed({ do: 'edit', run: 'run-1', edit: change() });
    // The last that a visit waits for before its restart: the look at the run's directory.
    hold('stat', '*%u*run-1');
    await wakeAfter([{ do: 'restart', unit: 'fm-test.service', timeoutMs: 5_000 }], async () => {
      expect(await performed({ do: 'restore', run: 'run-1', edit: change() })).toMatchObject([{ ok: true, happened: 'now' }]);
    });
    expect(readFileSync(join(node.bin, 'systemctl.log'), 'utf8')).not.toContain('restart');
    expect(readFileSync(path())).toEqual(OLD);
  });

  it('of another run is not in the way of anybody', async () => {
    await node.put(path(), OLD);
    hold('mktemp', '*');
    await wakeAfter([{ do: 'edit', run: 'run-1', edit: change() }], async () => {
      const other = join(node.root, 'other');
      expect(await performed({ do: 'edit', run: 'run-2', edit: { ...creation(), path: other } })).toMatchObject([{ ok: true, happened: 'now' }]);
      expect(existsSync(other)).toBe(true);
    });
    expect(readFileSync(path())).toEqual(NEW);
  });
});
