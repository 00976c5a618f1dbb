/** A path in a run folder of another machine may mean anything here: a pipe does not hold a run up, and a device does not fill its memory. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSmallFile } from '../../src/ssh/read-small-file.js';

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'fleetmend-small-')); });
afterAll(() => { rmSync(folder, { recursive: true }); });

it('a regular file is read whole', async () => {
  writeFileSync(join(folder, 'key'), 'text\n');
  expect(await readSmallFile(join(folder, 'key'))).toBe('text\n');
});
it('a pipe that nobody writes to is refused at once', async () => {
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  await expect(readSmallFile(join(folder, 'pipe'))).rejects.toMatchObject({ code: 'EINVAL' });
});
it('a device without end is refused', async () => {
  await expect(readSmallFile('/dev/zero')).rejects.toMatchObject({ code: 'EINVAL' });
});
it('a missing file stays one that is missing', async () => {
  await expect(readSmallFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
});
