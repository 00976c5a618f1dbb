/**
 * A service as it stands on a node: what systemd has loaded, the files that decide its command line, and what
 * systemd would make of them. Pure: yields questions. Never trusts that systemd has loaded what is on disk: it says so.
 */
import { gather, Known } from '../core/gather.js';
import type { FileReading, Questions, UnitAnswer } from '../core/query.js';
import { ask } from '../core/query.js';
import type { Prediction, UnitSources } from './sources.js';
import { needsReload, readUnitStart, unitFileQueries, unitFilesRead } from './unit-sources.js';

export type PredictedService =
  | { readonly ok: false; readonly reason: string }
  | {
      readonly ok: true;
      readonly unit: UnitAnswer;
      readonly sources: UnitSources;
      readonly prediction: Prediction;
      /** NeedDaemonReload: systemd holds something else than the disk. */
      readonly reloadNeeded: boolean;
      /** Every file that was read, by the path it was asked for. */
      readonly files: ReadonlyMap<string, FileReading>;
    };

export function* predictService(unitName: string): Questions<PredictedService> {
  const [unit] = yield* ask({ ask: 'unit', unit: unitName } as const);
  if (!unit.ok) return { ok: false, reason: unit.detail };
  const known = new Known();
  yield* gather(known, () => unitFileQueries(unitName, unit.value, known));
  const start = readUnitStart(unitName, unit.value, known);
  if (!start.ok) return { ok: false, reason: start.reason };
  return {
    ...start,
    unit: unit.value,
    reloadNeeded: needsReload(unit.value),
    files: unitFilesRead(unitName, unit.value, known),
  };
}
