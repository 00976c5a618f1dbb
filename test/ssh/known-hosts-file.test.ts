/** Learning host keys: each once, whatever runs beside, and never over what is there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { expect, it } from 'vitest';
import { LockedError, whenToRemove, withFileLock } from '../../src/ssh/file-lock.js';
import { createHostKeyStore } from '../../src/ssh/known-hosts-file.js';
import { lookupNameOf } from '../../src/ssh/known-hosts.js';
import { scratchForTest } from './lab.js';
import { makeKey } from './scratch.js';

it('the first key makes a private directory and a private file', async () => {
  const scratch = scratchForTest();
  const file = scratch.path('.ssh/known_hosts');
  const key = makeKey();
  const verdict = await createHostKeyStore([file]).learn(lookupNameOf('10.0.0.5', 2222), key.blob);
  expect(verdict).toMatchObject({ verdict: 'known', place: { line: 1 } });
  expect(readFileSync(file, 'utf8')).toBe(`[10.0.0.5]:2222 ${key.publicText}\n`);
  expect([statSync(file).mode & 0o777, statSync(scratch.path('.ssh')).mode & 0o777]).toEqual([0o600, 0o700]);
  expect(readdirSync(scratch.path('.ssh'))).toEqual(['known_hosts']);
});

it('only the first file learns, all are read', async () => {
  const scratch = scratchForTest();
  const key = makeKey();
  const second = scratch.write('global', `db ${key.publicText}\n`);
  const store = createHostKeyStore([scratch.path('own'), second]);
  expect(await store.learn(lookupNameOf('db', 22), key.blob)).toMatchObject({ verdict: 'known', place: { file: second } });
  expect(existsSync(scratch.path('own'))).toBe(false);
  await store.learn(lookupNameOf('web', 22), key.blob);
  expect(readFileSync(scratch.path('own'), 'utf8')).toBe(`web ${key.publicText}\n`);
});

it('a file whose last line has no end keeps that line', async () => {
  const scratch = scratchForTest();
  const [old, fresh] = [makeKey(), makeKey()];
  const file = scratch.write('known_hosts', `db ${old.publicText}`);
  const store = createHostKeyStore([file]);
  expect(await store.learn(lookupNameOf('web', 22), fresh.blob)).toMatchObject({ place: { line: 2 } });
  expect(await store.learn(lookupNameOf('app', 22), fresh.blob)).toMatchObject({ place: { line: 3 } });
  expect(readFileSync(file, 'utf8')).toBe(`db ${old.publicText}\nweb ${fresh.publicText}\napp ${fresh.publicText}\n`);
});

it('many stores that learn the same keys at once write each line once', async () => {
  const scratch = scratchForTest();
  const file = scratch.path('known_hosts');
  const keys = Array.from({ length: 4 }, () => makeKey());
  await Promise.all(
    Array.from({ length: 5 }, () => createHostKeyStore([file])).flatMap((store) =>
      keys.map((key, index) => store.learn(lookupNameOf(`host-${index}`, 22), key.blob)),
    ),
  );
  expect(readFileSync(file, 'utf8').trim().split('\n').sort()).toEqual(keys.map((key, index) => `host-${index} ${key.publicText}`));
});

it('a key that somebody else recorded meanwhile is not overruled', async () => {
  const scratch = scratchForTest();
  const [theirs, ours] = [makeKey(), makeKey()];
  const file = scratch.write('known_hosts', '');
  const store = createHostKeyStore([file]);
  await store.load();
  appendFileSync(file, `db ${theirs.publicText}\n`);
  expect(await store.learn(lookupNameOf('db', 22), ours.blob)).toMatchObject({ verdict: 'changed', place: { line: 1 } });
  expect(readFileSync(file, 'utf8')).toBe(`db ${theirs.publicText}\n`);
});

it('a file that changed is read again', async () => {
  const scratch = scratchForTest();
  const key = makeKey();
  const file = scratch.write('known_hosts', '');
  const store = createHostKeyStore([file]);
  const name = lookupNameOf('db', 22);
  expect((await store.load()).known.judge(name, key.blob).verdict).toBe('unknown');
  appendFileSync(file, `db ${key.publicText}\nrubbish\n`);
  const after = await store.load();
  expect(after.known.judge(name, key.blob).verdict).toBe('known');
  expect(after.unreadable).toEqual([`${file}:2`]);
});

it.each(['two words', 'new\nline', 'a,b', '*', '!a', '|1|x', '#a', '@revoked', 'tab\there', ''])('the name %j is never written', async (address) => {
  const scratch = scratchForTest();
  const file = scratch.path('known_hosts');
  await expect(createHostKeyStore([file]).learn(lookupNameOf(address, 22), makeKey().blob)).rejects.toThrow();
  expect(existsSync(file)).toBe(false);
});

it('a file that cannot be read is an error, not an empty file', async () => {
  const scratch = scratchForTest();
  mkdirSync(scratch.path('known_hosts'));
  await expect(createHostKeyStore([scratch.path('known_hosts')]).load()).rejects.toMatchObject({ failure: { kind: 'hostKeyUnknown' } });
});

it('a lock that is held is waited for, but not for ever', async () => {
  const scratch = scratchForTest();
  const lock = scratch.path('lock');
  await withFileLock(lock, async () => {
    const second = withFileLock(lock, () => Promise.resolve('never'), { waitMs: 30, retryMs: 5 });
    await expect(second).rejects.toBeInstanceOf(LockedError);
    await expect(second).rejects.toThrow(String(process.pid));
  });
  expect(await withFileLock(lock, () => Promise.resolve('free'))).toBe('free');
  expect(readdirSync(scratch.directory)).toEqual([]);
});

it('the lock of a process that is gone is taken over; one of another machine is not', async () => {
  const scratch = scratchForTest();
  const lock = scratch.path('lock');
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  writeFileSync(lock, `${child.pid} ${hostname()}\n`);
  expect(await withFileLock(lock, () => Promise.resolve('taken'))).toBe('taken');
  writeFileSync(lock, `${child.pid} another-machine\n`);
  await expect(withFileLock(lock, () => Promise.resolve('taken'), { waitMs: 30, retryMs: 5 })).rejects.toThrow('another-machine');
  expect(readdirSync(scratch.directory)).toEqual(['lock']);
});

it('a living process that keeps the file is waited for once, for all keys together', async () => {
  const scratch = scratchForTest();
  const file = scratch.path('known_hosts');
  writeFileSync(`${file}.lock`, `${process.ppid} ${hostname()}\n`);
  const store = createHostKeyStore([file], { waitMs: 50, retryMs: 5 });
  const errors = await Promise.all(['a', 'b', 'c'].map((name) => store.learn(lookupNameOf(name, 22), makeKey().blob).catch((error: unknown) => error)));
  expect(errors[0]).toBeInstanceOf(LockedError);
  expect(new Set(errors).size).toBe(1);
  expect(whenToRemove((errors[0] as LockedError).holder)).toBe(`if process ${process.ppid} is no fleetmend`);
});

it('nobody is waited for in vain twice, and not for keys that nobody wants any more', async () => {
  const scratch = scratchForTest();
  const file = scratch.path('known_hosts');
  const holder = `${process.ppid} ${hostname()}`;
  writeFileSync(`${file}.lock`, `${holder}\n`);
  await expect(withFileLock(`${file}.lock`, () => Promise.resolve('never'), { waitMs: 60_000, givenUp: holder })).rejects.toBeInstanceOf(LockedError);
  const learning = createHostKeyStore([file], { waitMs: 60_000, retryMs: 5 }).learn(lookupNameOf('a', 22), makeKey().blob, false, AbortSignal.timeout(20));
  await expect(learning).rejects.toBeInstanceOf(LockedError);
});

it('a lock that was taken away takes nothing from the result, nor from who holds it now', async () => {
  const lock = scratchForTest().path('lock');
  expect(await withFileLock(lock, () => Promise.resolve(unlinkSync(lock)))).toBeUndefined();
  await withFileLock(lock, () => Promise.resolve(writeFileSync(lock, `${process.ppid} ${hostname()} other\n`)));
  expect(readFileSync(lock, 'utf8')).toContain('other');
});

it('a lock that was left is taken over by one of all who wait, while none of the others comes in', async () => {
  const scratch = scratchForTest();
  const lock = scratch.path('lock');
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
  await once(child, 'exit');
  for (let round = 0; round < 10; round += 1) {
    writeFileSync(lock, `${child.pid} ${hostname()} ${round}\n`);
    let inside = 0;
    let most = 0;
    await Promise.all(Array.from({ length: 8 }, () => withFileLock(lock, async () => {
      most = Math.max(most, inside += 1);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    }, { retryMs: 1 })));
    expect(most).toBe(1);
  }
  expect(readdirSync(scratch.directory)).toEqual([]);
});

it('work that fails gives the lock back', async () => {
  const lock = scratchForTest().path('lock');
  await expect(withFileLock(lock, () => Promise.reject(new Error('the work')))).rejects.toThrow('the work');
  expect(existsSync(lock)).toBe(false);
});

it('three processes that learn the same keys at once write each line once', async () => {
  const scratch = scratchForTest();
  const file = scratch.path('known_hosts');
  const lines = Array.from({ length: 20 }, (_, index) => `host-${index} ${makeKey().publicText}`);
  const given = scratch.write('keys', `${lines.join('\n')}\n`);
  const script = new URL('learn-keys.ts', import.meta.url).pathname;
  const codes = await Promise.all(Array.from({ length: 3 }, async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', script, file, given], { stdio: ['ignore', 'ignore', 'inherit'] });
    return (await once(child, 'exit'))[0] as number | null;
  }));
  expect(codes).toEqual([0, 0, 0]);
  expect(readFileSync(file, 'utf8').trim().split('\n').sort()).toEqual([...lines].sort());
});
