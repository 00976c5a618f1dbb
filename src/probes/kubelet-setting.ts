/** Audit method: one duration setting of the kubelet, by the benchmark's text and by what the kubelet really does. */
import { z } from 'zod';
import { defineProbe } from '../core/catalogue.js';
import { parseDuration } from '../kubelet/duration.js';
import { judgeSetting } from '../kubelet/judge.js';
import { FOUR_HOURS_NS } from '../kubelet/setting.js';
import type { SettingPolicy } from '../kubelet/setting.js';
import { surveyKubelet } from '../kubelet/survey.js';
import { USUAL_KUBELET_FILES } from '../kubelet/usual-files.js';

const duration = z.string().superRefine((text, context) => {
  const parsed = parseDuration(text);
  if (!parsed.ok) context.addIssue({ code: 'custom', message: `expected a duration such as 5m or 4h0m0s (${parsed.error})` });
  else if (parsed.ns <= 0n) context.addIssue({ code: 'custom', message: 'expected a duration above zero' });
});

const params = z.strictObject({
  /** The systemd unit of the kubelet. */
  unit: z.string().regex(/^[A-Za-z0-9:_.@\\-]+\.service$/, 'expected the name of a service unit').default('kubelet.service'),
  /** Top-level member of KubeletConfiguration. */
  key: z.string().regex(/^[A-Za-z]+$/, 'expected the name of a key'),
  /** Name of the flag without its dashes. */
  flag: z.string().regex(/^[a-z][a-z-]*[a-z]$/, 'expected the name of a flag without its dashes'),
  /** Which readings decide; `both`: either one that fails is a fail. */
  judge: z.enum(['literal', 'effective', 'both']).default('both'),
  /** The least value that is right. */
  minimum: duration.optional(),
  /** A value by default does not count. */
  mustBeExplicit: z.boolean().optional(),
  /** The flag may not be there, whatever its value. */
  flagForbidden: z.boolean().optional(),
});

export const kubeletSetting = defineProbe({
  params,
  *audit({ unit, key, flag, judge, minimum, mustBeExplicit, flagForbidden }) {
    const policy: SettingPolicy = {
      judge,
      ...(minimum === undefined ? {} : { minimum }),
      ...(mustBeExplicit === undefined ? {} : { mustBeExplicit }),
      ...(flagForbidden === undefined ? {} : { flagForbidden }),
    };
    return judgeSetting(yield* surveyKubelet(unit), { flag, key, defaultNs: FOUR_HOURS_NS }, policy);
  },
  usualFiles: () => USUAL_KUBELET_FILES,
});
