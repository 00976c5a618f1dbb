/** Where a flag on a kubelet's command line was written. Goes by systemd's prediction; never searches text. */
import type { WordOrigin } from '../systemd/index.js';
import type { FlagUse } from './flags.js';
import { flagUses } from './flags.js';
import type { NextStart, RunningKubelet } from './survey-types.js';
import { needsReload } from '../systemd/unit-sources.js';

/** `flag in /etc/default/kubelet (KUBELET_FLAGS)`. */
export function describeOrigin(origin: WordOrigin): string {
  return `flag in ${origin.path} (${origin.variable ?? 'ExecStart='})`;
}

/** Of a flag of the predicted command line. */
export function predictedOrigin(next: NextStart, use: FlagUse): WordOrigin | undefined {
  if (!next.predicted || next.command === undefined) return undefined;
  return next.prediction.words[next.command.skip + use.at]?.origin;
}

/** The origin of a flag of the running command line: the last predicted use that says the same. */
export function runningOrigin(survey: RunningKubelet, use: FlagUse): WordOrigin | undefined {
  const { next } = survey;
  if (!next.predicted || next.command === undefined) return undefined;
  const same = flagUses(next.command.flags, use.name).findLast((other) => other.value === use.value);
  return same === undefined ? undefined : predictedOrigin(next, same);
}

/** The unit files were changed since this kubelet was started, so they need not explain its command line. */
export function unitFilesMoved(survey: RunningKubelet): boolean {
  return survey.staleUnitFiles.length > 0 || needsReload(survey.answer);
}
