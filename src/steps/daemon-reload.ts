/** `daemonReload`: lets systemd read changed unit files. Asks for nothing when no unit file is edited. */
import { z } from 'zod';
import { defineStep } from '../core/catalogue.js';
import type { FileReading } from '../core/query.js';
import { predictService } from '../systemd/predict-service.js';
import { activationTimeoutMs, unitName } from './params.js';

export const daemonReload = defineStep({
  phase: 'activate',
  params: z.strictObject({
    unit: unitName.default('kubelet.service').describe('the unit whose files matter'),
    timeout: activationTimeoutMs.default(60_000),
  }),
  title: () => 'systemctl daemon-reload',
  *plan({ unit, timeout }, { earlier }) {
    const service = yield* predictService(unit);
    if (!service.ok) return { want: 'refusal', failure: { kind: 'unknownSource', summary: `${unit}: ${service.reason}` } };
    const { fragment, dropIns } = service.sources;
    const unitFiles = new Set([fragment, ...dropIns].map(({ path }) => realPath(service.files.get(path)) ?? path));
    const touched = earlier.filter((step) => step.phase === 'change' && unitFiles.has(step.edit.path));
    if (touched.length === 0) return { want: 'nothing', reason: 'no unit file changes; environment and config files are read at the start' };
    return {
      want: 'activation',
      activation: { do: 'daemonReload', timeoutMs: timeout },
      afterUndoOf: touched.map((step) => step.id),
      notes: [],
    };
  },
});

function realPath(reading: FileReading | undefined): string | undefined {
  return reading?.ok === true && reading.value.exists ? reading.value.realPath : undefined;
}
