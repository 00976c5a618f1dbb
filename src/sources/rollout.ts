/**
 * The `rollout:` of a playbook with the flags laid over it. A flag wins over its key alone, and a key that a flag takes the
 * place of is checked all the same. Never knows the hosts: what depends on them is checked where they are known.
 */
import type { z } from 'zod';
import type { BudgetPolicy, CommandSpec, MaintenanceWindow, Rollout } from '../core/rollout.js';
import { HOOK_NAMES, WEEKDAYS } from '../core/rollout.js';
import { DEFAULT_ROLLOUT } from '../rollout/default-rollout.js';
import { type Checker, checkValue } from './check-values.js';
import { flagOf, type RolloutFlags, rolloutOfFlags } from './rollout-flags.js';
import {
  budgetSchema, budgetShareSchema, canarySchema, commandSchema, DEFAULT_COMMAND_MS, hooksSchema, onStopSchema, orderSchema, pauseSchema,
  rolloutSchema, soakSchema, wavesSchema, windowSchema, withinSchema,
} from './rollout-schema.js';
import { isMapping, type ValuePath } from './yaml-document.js';

type Check = <T>(schema: z.ZodType<T>, value: unknown, path: ValuePath) => T | undefined;

/** What one place says; a key is absent when it says nothing. */
type Said = { readonly [K in Exclude<keyof Rollout, 'budget' | 'gate' | 'window'>]?: Rollout[K] } & {
  readonly budget?: Partial<BudgetPolicy>;
  readonly gate?: CommandSpec | 'none';
  readonly window?: MaintenanceWindow | 'none';
};

export function readRollout(checker: Checker, value: unknown, flags: RolloutFlags): Rollout {
  const written = value === undefined ? {} : value;
  checker.check(rolloutSchema, written, ['rollout']);
  const inFile = readSaid(isMapping(written) ? written : {}, (schema, part, path) => checker.check(schema, part, ['rollout', ...path]));
  const byFlag = readSaid(rolloutOfFlags(checker, flags), (schema, part, path) => {
    return checkValue(schema, part, path, (at, expected, got) => {
      const { name, text } = flagOf(flags, at);
      checker.refuseElsewhere({ file: `--${name} ${text}`, path: '', expected, ...(got === undefined ? {} : { got }) });
    });
  });
  const rollout = settle({ ...inFile, ...byFlag, budget: { ...inFile.budget, ...byFlag.budget } });
  refuseLatePauses(checker, rollout, flags);
  return rollout;
}

function readSaid(raw: Readonly<Record<string, unknown>>, check: Check): Said {
  const read = <T>(key: string, as: (value: unknown) => T | undefined): T | undefined => (Object.hasOwn(raw, key) ? as(raw[key]) : undefined);
  const plain = <T>(key: string, schema: z.ZodType<T>): T | undefined => read(key, (value) => check(schema, value, [key]));
  const orNone = <T>(key: string, as: (value: unknown) => T | undefined): T | 'none' | undefined => {
    return read<T | 'none'>(key, (value) => (value === 'none' ? value : as(value)));
  };
  return withoutGaps({
    waves: plain('waves', wavesSchema),
    within: plain('within', withinSchema),
    canary: orNone('canary', (value) => check(canarySchema, value, ['canary'])),
    order: plain('order', orderSchema),
    budget: read('budget', (value) => readBudget(value, check)),
    onStop: plain('onStop', onStopSchema),
    soakMs: plain('soak', soakSchema),
    gate: orNone('gate', (value) => commandOf(check(commandSchema, value, ['gate']))),
    pauseAfter: plain('pause', pauseSchema),
    window: orNone('window', (value) => readWindow(value, check)),
    hooks: read('hooks', (value) => (value === 'none' ? {} : readHooks(value, check))),
  });
}

/** A share alone is that of the run; `none` alone is no budget at all. */
function readBudget(value: unknown, check: Check): Partial<BudgetPolicy> | undefined {
  if (value === 'none') return { run: 'none', per: [] };
  if (!isMapping(value)) return withoutGaps({ run: check(budgetShareSchema, value, ['budget']) });
  const budget = check(budgetSchema, value, ['budget']);
  const per = budget?.per === undefined ? undefined : Object.entries(budget.per).map(([label, share]) => ({ label, share }));
  return withoutGaps({ run: budget?.run, per });
}

function readWindow(value: unknown, check: Check): MaintenanceWindow | undefined {
  const window = check(windowSchema, value, ['window']);
  return window && { from: window.from, to: window.to, days: WEEKDAYS.filter((day) => window.days?.includes(day) ?? true), timeZone: window.timeZone ?? 'UTC' };
}

function readHooks(value: unknown, check: Check): Rollout['hooks'] | undefined {
  const hooks = check(hooksSchema, value, ['hooks']);
  return hooks && withoutGaps(Object.fromEntries(HOOK_NAMES.map((name) => [name, commandOf(hooks[name])])));
}

function commandOf(command: z.infer<typeof commandSchema> | undefined): CommandSpec | undefined {
  return command && { run: command.run, timeoutMs: command.timeout ?? DEFAULT_COMMAND_MS };
}

function settle({ gate, window, budget, ...said }: Said): Rollout {
  return {
    ...DEFAULT_ROLLOUT, ...said, budget: { ...DEFAULT_ROLLOUT.budget, ...budget },
    ...(gate === undefined || gate === 'none' ? {} : { gate }),
    ...(window === undefined || window === 'none' ? {} : { window }),
  };
}

/** It would never be heard of again. */
function refuseLatePauses(checker: Checker, { waves, pauseAfter }: Rollout, flags: RolloutFlags): void {
  const late = typeof pauseAfter === 'string' ? undefined : pauseAfter.find((wave) => wave > waves.length);
  if (late === undefined) return;
  const expected = `a wave from 1 to ${waves.length}: there are no more`;
  if (flags['pause'] === undefined) checker.refuse(['rollout', 'pause'], expected, `after ${late}`);
  else checker.refuseElsewhere({ file: `--pause ${flags['pause']}`, path: '', expected, got: `after ${late}` });
}

type Filled<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

function withoutGaps<T extends object>(parts: T): Filled<T> {
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined)) as Filled<T>;
}
