/**
 * `restart`: one restart of a service, and only after what systemd would now start was checked against the plan: the
 * command line word by word, and every file behind it byte by byte, so that nobody else's edit is activated with ours.
 * Never repeated forwards: six restarts in ten seconds stop a kubelet (kubelet.md 1, item 14).
 */
import { z } from 'zod';
import { defineStep } from '../core/catalogue.js';
import { predictStart } from '../kubelet/start-sources.js';
import { activationTimeoutMs, unitName } from './params.js';

export const restart = defineStep({
  phase: 'activate',
  params: z.strictObject({
    unit: unitName,
    timeout: activationTimeoutMs.default(120_000).describe('how long systemctl restart may take'),
  }),
  title: ({ unit }) => `systemctl restart ${unit}`,
  *plan({ unit, timeout }) {
    const service = yield* predictStart(unit);
    if (!service.ok) return { want: 'refusal', failure: { kind: 'unknownSource', summary: `${unit}: ${service.reason}` } };
    if (service.prediction.wouldNotStart !== undefined) {
      return { want: 'refusal', failure: { kind: 'latentCrash', summary: `${unit} would not start after the change: ${service.prediction.wouldNotStart}` } };
    }
    const argv = service.prediction.words.map((word) => word.value);
    return {
      want: 'activation',
      activation: { do: 'restart', unit, timeoutMs: timeout },
      before: { check: 'commandLinePredicted', unit, argv, sources: service.startSources },
      afterUndoOf: [],
      notes: [],
    };
  },
});
