/** The YAML inventory source keeps the promises of every source, and reads regular files only. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPlaybook, yaml } from '../../src/sources/index.js';
import { MAX_FILE_BYTES } from '../../src/sources/read-text-file.js';
import { createYamlSource } from '../../src/sources/yaml.js';
import { describeInventorySource } from '../contracts/inventory-source.contract.js';
import { linesOf } from './errors-of.js';
import { SMALL_CATALOGUE } from './small-catalogue.js';

describeInventorySource('yaml', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fleetmend-inventory-'));
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  return {
    source: createYamlSource({ home: folder }),
    good: await write('good.yaml', 'groups: { a: { identityFile: ~/key, hosts: ["n[1:9]", { name: six, address: "fd00::1", port: 2 }] } }'),
    bad: [
      { reference: await write('two.yaml', 'groups: { a: { port: 0, hosts: [] } }'), errors: 2 },
      { reference: await write('syntax.yaml', 'groups: ['), errors: 1 },
      { reference: join(folder, 'missing.yaml'), errors: 1 },
      { reference: folder, errors: 1 },
    ],
    cleanUp: () => rm(folder, { recursive: true }),
  };
});

describe('files that a person named', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fleetmend-files-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const refusal = async (file: string) => {
    const reasons = await Promise.all([yaml.load(file), readPlaybook(file, SMALL_CATALOGUE, {})].map((reading) => reading.then(() => [], linesOf)));
    expect(reasons[0]).toEqual(reasons[1]);
    return reasons[0]?.join('\n').replaceAll(`${folder}/`, '');
  };

  it('a file that is not there', async () => {
    expect(await refusal(join(folder, 'none.yaml'))).toBe('none.yaml: expected a readable file, got no such file');
  });

  it('a name that no file can have', async () => {
    expect(await refusal(join(folder, 'a\0b'))).toBe('a\\u0000b: expected a readable file, got error ERR_INVALID_ARG_VALUE');
  });

  it('a folder', async () => {
    await mkdir(join(folder, 'folder'));
    expect(await refusal(join(folder, 'folder'))).toBe('folder: expected a regular file');
  });

  it('a named pipe is not waited on', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect(await refusal(join(folder, 'pipe'))).toBe('pipe: expected a regular file');
  });

  it('a device', async () => {
    expect(await refusal('/dev/zero')).toBe('/dev/zero: expected a regular file');
  });

  it('a file that is too large is not read', async () => {
    await writeFile(join(folder, 'large'), '');
    await truncate(join(folder, 'large'), MAX_FILE_BYTES + 1);
    expect(await refusal(join(folder, 'large'))).toBe('large: expected at most 16777216 bytes, got 16777217');
  });

  it('bytes that are not text', async () => {
    await writeFile(join(folder, 'bytes'), Buffer.from([0x67, 0xff, 0x0a]));
    expect(await refusal(join(folder, 'bytes'))).toBe('bytes: expected UTF-8 text, got other bytes');
  });
});
