/**
 * `restart`: one restart of a service, and only after what systemd would now start was checked word by
 * word against the plan. Never repeated forwards: six restarts in ten seconds stop a kubelet (kubelet.md 1, item 14).
 */
import { z } from 'zod';
import { defineStep } from '../core/catalogue.js';
import { predictService } from '../systemd/predict-service.js';
import { activationTimeoutMs, unitName } from './params.js';

export const restart = defineStep({
  phase: 'activate',
  params: z.strictObject({
    unit: unitName,
    timeout: activationTimeoutMs.default(120_000).describe('how long systemctl restart may take'),
  }),
  title: ({ unit }) => `systemctl restart ${unit}`,
  *plan({ unit, timeout }) {
    const service = yield* predictService(unit);
    if (!service.ok) return { want: 'refusal', failure: { kind: 'unknownSource', summary: `${unit}: ${service.reason}` } };
    if (service.prediction.wouldNotStart !== undefined) {
      return { want: 'refusal', failure: { kind: 'latentCrash', summary: `${unit} would not start after the change: ${service.prediction.wouldNotStart}` } };
    }
    const argv = service.prediction.words.map((word) => word.value);
    return {
      want: 'activation',
      activation: { do: 'restart', unit, timeoutMs: timeout },
      before: { check: 'commandLinePredicted', unit, argv },
      afterUndoOf: [],
      notes: [],
    };
  },
});
