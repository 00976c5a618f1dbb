/** A path in a run folder of another machine may mean anything here: a pipe does not hold a run up, and a device does not fill its memory. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfigFiles } from '../../src/ssh/config-files.js';
import { createKeyFileReader } from '../../src/ssh/key-files.js';
import { readSmallFile } from '../../src/ssh/read-small-file.js';
import { createCertificateReader } from '../../src/ssh/user-certificate.js';

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
it('what is no regular file is said so, for an ssh_config, a key and a certificate alike', async () => {
  await expect(loadConfigFiles({ home: folder, file: '/dev/zero' })).rejects.toThrow('/dev/zero: expected a regular file');
  const reason = 'could not be read (not a regular file)';
  expect(await createKeyFileReader()('/dev/zero')).toEqual({ state: 'unusable', reason });
  expect(await createCertificateReader()('/dev/zero')).toEqual({ state: 'unusable', reason });
});
