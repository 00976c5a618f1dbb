/** The directory of a run: made durably and for its owner alone, or refused at once with the place to blame. */
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FleetmendError } from '../../src/core/failure.js';
import { makeDirectory } from '../../src/journals/make-directory.js';

let root: string;
beforeEach(async () => { root = await mkdtemp(join(tmpdir(), 'fleetmend-directory-')); });
afterEach(async () => { await rm(root, { recursive: true }); });

async function refusalOf(path: string): Promise<string> {
  const thrown: unknown = await makeDirectory(path, 0o700).then(() => 'made', (error: unknown) => error);
  if (!(thrown instanceof FleetmendError)) throw new Error(`${path}: expected a refusal, got ${String(thrown)}`);
  expect(thrown.failure.kind).toBe('journal');
  return thrown.failure.summary;
}

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

it('all that is missing is made, for the owner alone', async () => {
  await makeDirectory(join(root, 'a/b/c'), 0o700);
  for (const name of ['a', 'a/b', 'a/b/c']) expect(await modeOf(join(root, name))).toBe('700');
});

it('a directory that is there is left as it is', async () => {
  await mkdir(join(root, 'there'), { mode: 0o755 });
  await makeDirectory(join(root, 'there'), 0o700);
  await makeDirectory(join(root, 'there'), 0o700);
  expect(await modeOf(join(root, 'there'))).toBe('755');
});

it('many who make the same one at once all have it', async () => {
  await Promise.all(Array.from({ length: 20 }, () => makeDirectory(join(root, 'x/y/z'), 0o700)));
  expect(await readdir(join(root, 'x/y'))).toEqual(['z']);
});

it('a place that takes no new directories is refused at once, and named', async () => {
  expect(await refusalOf('/proc/fleetmend/runs/1')).toBe('the directory /proc/fleetmend/runs/1 cannot be made: /proc takes no new directories');
});

it('a file in the way is refused, and named', async () => {
  await writeFile(join(root, 'file'), '');
  expect(await refusalOf(join(root, 'file'))).toContain(`${root}/file is not a directory`);
  expect(await refusalOf(join(root, 'file/below'))).toContain(`${root}/file is not a directory`);
});

it('a link to nothing is refused, and named', async () => {
  await symlink(join(root, 'nowhere'), join(root, 'link'));
  expect(await refusalOf(join(root, 'link/below'))).toContain(`${root}/link is not a directory`);
});
