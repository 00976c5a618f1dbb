/** Predictions against a real systemd: random services, the rows of the case files, and edited files. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../lab/lab.js';
import { createLab } from '../lab/lab.js';
import { missingForLab } from '../lab/machine.js';
import { makeOracleCases } from './oracle-cases.js';
import { compareEdited, compareWithOracle, editCases, tableCases } from './oracle-compare.js';
import type { Exec } from './oracle.js';

const seed = Number(process.env['ORACLE_SEED'] ?? 252);
const count = Number(process.env['ORACLE_COUNT'] ?? 300);
const missing = process.env['CI'] === 'true' ? [] : missingForLab();

describe.skipIf(missing.length > 0)(`a real systemd (seed ${seed}, ${count} services)`, () => {
  let lab: Lab | undefined;
  const exec: Exec = (command) => {
    const [node] = lab?.nodes ?? [];
    return node === undefined ? Promise.reject(new Error('the node is not up')) : node.mustExec(command);
  };

  beforeAll(async () => {
    lab = await createLab({ prefix: 'orcl', subnet: '10.93.0.0/16', nodes: 1 });
  }, 300_000);
  afterAll(async () => {
    await lab?.destroy();
  }, 60_000);

  it('starts random services with the predicted words, and no others', { timeout: 300_000 }, async () => {
    const { disagreements, started } = await compareWithOracle(exec, makeOracleCases(count, seed));
    expect(disagreements).toEqual([]);
    expect(started).toBeGreaterThan(count / 3);
  });

  it('agrees with the rows of the case files', { timeout: 300_000 }, async () => {
    expect((await compareWithOracle(exec, tableCases())).disagreements).toEqual([]);
  });

  it('starts edited services with exactly the words that were to stay', { timeout: 300_000 }, async () => {
    const edited = editCases(makeOracleCases(count, seed + 1_000_000));
    expect(edited.length).toBeGreaterThan(count / 4);
    expect(await compareEdited(exec, edited)).toEqual([]);
  });
});
