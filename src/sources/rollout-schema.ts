/** The keys of `rollout:` in a playbook and what each may hold. Messages continue the word "expected". The flags are checked by the same schemas. */
import { z } from 'zod';
import type { Share } from '../core/rollout.js';
import { WEEKDAYS } from '../core/rollout.js';
import { isTimeZone } from '../rollout/maintenance-window.js';
import { parsePlainDuration } from './plain-duration.js';

/** More than one process can work on at once. */
const MAX_AT_ONCE = 1_000;
const MAX_HOSTS = 1_000_000;
const MAX_WAVES = 100;
const MAX_LABELS = 10;
const MAX_WORDS = 100;
const MAX_SOAK_MS = 24 * 3_600_000;
const MAX_COMMAND_MS = 3_600_000;
export const DEFAULT_COMMAND_MS = 60_000;

/** The parts are checked one by one, so that an error in one never hides the errors in another. */
export const rolloutSchema = z.strictObject({
  waves: z.unknown().optional(),
  within: z.unknown().optional(),
  canary: z.unknown().optional(),
  order: z.unknown().optional(),
  budget: z.unknown().optional(),
  onStop: z.unknown().optional(),
  soak: z.unknown().optional(),
  gate: z.unknown().optional(),
  pause: z.unknown().optional(),
  window: z.unknown().optional(),
  hooks: z.unknown().optional(),
}, mappingExpected('a mapping with keys such as waves, within and budget'));

const SHARE_EXPECTED = 'a number of hosts such as 3, or a percentage above 0 and up to 100 such as 5%';
const WITHIN_EXPECTED = `a number of hosts from 1 to ${MAX_AT_ONCE}, or a percentage above 0 and up to 100 such as 5%`;
const share = scalar(SHARE_EXPECTED, (written) => shareOf(written, MAX_HOSTS));
export const withinSchema = scalar(WITHIN_EXPECTED, (written) => shareOf(written, MAX_AT_ONCE));

const WAVES_EXPECTED = 'a list of shares that rise, such as [1, 5%, 100%]';
const RISING_EXPECTED = 'more than in the waves before: a wave says how many hosts are through after it, those of the waves before it included';

export const wavesSchema = z.array(share, { error: WAVES_EXPECTED }).min(1, { error: WAVES_EXPECTED }).max(MAX_WAVES, { error: `at most ${MAX_WAVES} waves` })
  .superRefine((shares, context) => {
    if (shares.length === 0 || shares.length > MAX_WAVES) return;
    const refuse = (index: number, message: string): void => context.addIssue({ code: 'custom', path: [index], message });
    for (const [index, one] of shares.entries()) {
      if (shares.slice(0, index).some((earlier) => isNotBelow(earlier, one))) refuse(index, RISING_EXPECTED);
    }
    const last = shares.at(-1);
    if (last?.unit !== 'percent' || last.percent !== 100) refuse(shares.length - 1, '100% as the last wave, so that no host is left out');
  });

const LABEL_EXPECTED = 'a label name of letters, digits and "._/:@+-", at most 63 characters';
const label = z.string({ error: LABEL_EXPECTED }).regex(/^[A-Za-z0-9_][A-Za-z0-9._/:@+-]{0,62}$/u, { error: LABEL_EXPECTED });
const LABELS_EXPECTED = 'a list of labels such as [pool, zone]';

export const canarySchema = z.strictObject(
  { by: z.array(label, { error: LABELS_EXPECTED }).max(MAX_LABELS, { error: `at most ${MAX_LABELS} labels` }) },
  mappingExpected('"none" or a mapping such as { by: [pool, zone] }'),
);

export const orderSchema = z.enum(['inventory', 'reverse', 'name', 'shuffled']);
export const onStopSchema = z.enum(['halt', 'undoWave', 'undoRun']);

export const budgetShareSchema = scalar(`"none", ${SHARE_EXPECTED}`, (written): Share | 'none' | undefined => (written === 'none' ? written : shareOf(written, MAX_HOSTS)));

export const budgetSchema = z.strictObject({
  run: budgetShareSchema.optional(),
  per: z.record(label, share, { error: 'a mapping from labels to shares such as { zone: 2, pool: 10% }' })
    .refine((per) => Object.keys(per).length <= MAX_LABELS, { error: `at most ${MAX_LABELS} labels` })
    .optional(),
});

export const soakSchema = time('a time from 0s to 24h such as 5m', 0, MAX_SOAK_MS);

const RUN_EXPECTED = 'a program and its words as a list such as [./check.sh, --fast]; no shell reads it';
const word = z.string({ error: 'text; put quotes around a number' }).max(10_000).refine((text) => !text.includes('\0'), { error: 'text without NUL' });

export const commandSchema = z.strictObject({
  run: z.array(word, { error: RUN_EXPECTED }).min(1, { error: RUN_EXPECTED }).max(MAX_WORDS, { error: `at most ${MAX_WORDS} words` })
    .refine(([program]) => program !== '', { error: RUN_EXPECTED }),
  timeout: time('a time from 1s to 1h such as 60s', 1_000, MAX_COMMAND_MS).optional(),
}, mappingExpected('"none" or a mapping such as { run: [./check.sh, --fast], timeout: 60s }'));

const hook = commandSchema.optional();

export const hooksSchema = z.strictObject(
  { beforeRun: hook, afterRun: hook, beforeWave: hook, afterWave: hook, beforeHost: hook, afterHost: hook },
  mappingExpected('"none" or a mapping such as { beforeHost: { run: [./drain.sh] } }'),
);

export const pauseSchema = scalar('"none", "after every wave", or after which waves such as "after 1, 3"', (written): 'none' | 'every' | number[] | undefined => {
  if (written === 'none') return 'none';
  if (written === 'after every wave') return 'every';
  const list = /^after ([1-9]\d{0,2}(?: *, *[1-9]\d{0,2})*)$/u.exec(String(written))?.[1]?.split(',').map(Number);
  return list === undefined ? undefined : [...new Set(list)].sort((left, right) => left - right);
});

const CLOCK_EXPECTED = 'a time of day from "00:00" to "23:59"';
const clock = z.string({ error: CLOCK_EXPECTED }).regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/u, { error: CLOCK_EXPECTED });
const DAYS_EXPECTED = 'a list of days such as [mon, tue]';
const ZONE_EXPECTED = 'a time zone such as Europe/Berlin or UTC';

export const windowSchema = z.strictObject({
  days: z.array(z.enum(WEEKDAYS), { error: DAYS_EXPECTED }).min(1, { error: DAYS_EXPECTED }).optional(),
  from: clock,
  to: clock,
  timeZone: z.string({ error: ZONE_EXPECTED }).refine(isTimeZone, { error: ZONE_EXPECTED }).optional(),
}, mappingExpected('"none" or a mapping such as { days: [mon, tue], from: "02:00", to: "05:00", timeZone: Europe/Berlin }'));

/** A number of hosts or a percentage, never a share of nothing; undefined for anything else. */
function shareOf(written: string | number, most: number): Share | undefined {
  const [, digits = '', sign = ''] = /^(\d{1,7}(?:\.\d{1,2})?)(%?)$/u.exec(String(written)) ?? [];
  const number = Number(digits);
  if (digits === '' || number <= 0) return undefined;
  if (sign === '%') return number <= 100 ? { unit: 'percent', percent: number } : undefined;
  return Number.isInteger(number) && number <= most ? { unit: 'hosts', count: number } : undefined;
}

/** A number of hosts and a percentage can only be compared when the hosts are known. */
function isNotBelow(earlier: Share, later: Share): boolean {
  if (earlier.unit === 'hosts') return later.unit === 'hosts' && earlier.count >= later.count;
  return later.unit === 'percent' && earlier.percent >= later.percent;
}

function scalar<T>(expected: string, parse: (written: string | number) => T | undefined) {
  return z.unknown().transform((written, context): T => {
    const parsed = typeof written === 'string' || typeof written === 'number' ? parse(written) : undefined;
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
}

function time(expected: string, leastMs: number, mostMs: number) {
  return scalar(expected, (written) => {
    const ms = parsePlainDuration(String(written));
    return ms !== undefined && ms >= leastMs && ms <= mostMs ? ms : undefined;
  });
}

function mappingExpected(expected: string) {
  return { error: (issue: { readonly code?: string }) => (issue.code === 'invalid_type' ? expected : undefined) };
}
