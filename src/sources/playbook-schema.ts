/** The keys of a playbook and what each may hold. Messages continue the word "expected". */
import { z } from 'zod';
import { parsePlainDuration } from './plain-duration.js';

const NAME = /^[a-z0-9][a-z0-9.-]{0,99}$/u;
const NAME_EXPECTED = 'a name of small letters, digits, dots and dashes, at most 100 characters';
/** What `${...}` and `--set` call it. */
const PARAMETER_NAME = /^[A-Za-z][A-Za-z0-9]{0,49}$/u;
const LEVEL_EXPECTED = 'a level from 1 to 3';

export const PARAMETER_NAME_EXPECTED = 'a parameter name of letters and digits, at most 50 characters';
export const MAX_PARAMETER_CHARACTERS = 100;

/** Text for people: shown on terminals, so no control codes; several lines are fine. */
const prose = z
  .string({ error: 'text' })
  .refine((text) => text.trim() !== '', { error: 'text that is not empty' })
  .refine((text) => !/[^\P{Cc}\n\t]/u.test(text), { error: 'text without control characters' });

export const controlSchema = z.strictObject({
  id: prose,
  benchmark: prose,
  title: prose.refine((title) => !title.trim().includes('\n'), { error: 'one line' }),
  level: z.int({ error: LEVEL_EXPECTED }).min(1, { error: LEVEL_EXPECTED }).max(3, { error: LEVEL_EXPECTED }),
  description: prose,
  impact: prose,
  defaultValue: prose,
  audit: prose,
  remediation: prose,
});

export const parameterSchema = z.strictObject({
  type: z.enum(['goDuration']),
  default: z.string({ error: 'text such as 4h0m0s' }),
  description: prose,
  nonZero: z.boolean().optional(),
  secret: z.boolean().optional(),
});
export type Parameter = z.infer<typeof parameterSchema>;

/** The parts are checked one by one, so that an error in one never hides the errors in another. */
export const playbookSchema = z.strictObject({
  name: z.string({ error: NAME_EXPECTED }).regex(NAME, { error: NAME_EXPECTED }),
  control: z.unknown().optional(),
  parameters: z.unknown().optional(),
  audit: z.unknown().optional(),
  steps: z.unknown().optional(),
  guard: z.unknown().optional(),
  rollout: z.unknown().optional(),
  redact: z.unknown().optional(),
});

const MARGIN_EXPECTED = 'a time from 1s to 1h such as 90s';
const MAX_MARGIN_MS = 3_600_000;
/** A lost connection has this long to come back before the node restores itself. */
export const DEFAULT_GUARD_MARGIN_MS = 90_000;

/** What stands beside `guard: none`. */
export const guardSchema = z.strictObject(
  {
    margin: z
      .string({ error: MARGIN_EXPECTED })
      .transform((value) => parsePlainDuration(value) ?? 0)
      .refine((ms) => ms >= 1_000 && ms <= MAX_MARGIN_MS, { error: MARGIN_EXPECTED }),
  },
  { error: (issue) => (issue.code === 'invalid_type' ? '"none" or a mapping with the key margin' : undefined) },
);

const SECRET_NAME_EXPECTED = 'a name of 3 to 80 letters, digits, dots, dashes and underscores';

/** Names whose values are hidden, beyond those that always are. */
export const redactSchema = z
  .array(z.string({ error: SECRET_NAME_EXPECTED }).regex(/^[A-Za-z0-9._-]{3,80}$/u, { error: SECRET_NAME_EXPECTED }), { error: 'a list of names' })
  .min(1, { error: 'at least one name' });

export function isParameterName(name: string): boolean {
  return PARAMETER_NAME.test(name);
}
