/** The flags that say how a change spreads, for yargs: each wins over its key in the playbook. Kept as typed; the playbook's reader checks them. */
import type { Argv, Options } from 'yargs';

const WAVES = 'cumulative share of the hosts to change, such as 1,5%,25%,100%';
const ONLY_NONE = { choices: ['none'] as const, requiresArg: true } as const;

const ROLLOUT_OPTIONS = {
  waves: { type: 'string', requiresArg: true, describe: WAVES },
  within: { type: 'string', requiresArg: true, describe: 'hosts changed at once, such as 50 or 10%' },
  canary: { type: 'string', requiresArg: true, describe: 'labels of which the first wave takes one host each, such as pool,zone; or none' },
  order: { choices: ['inventory', 'reverse', 'name', 'shuffled'] as const, requiresArg: true, describe: 'in which hosts are taken' },
  budget: { type: 'string', requiresArg: true, describe: 'the failed host that stops the rollout, such as 3 or 5%; none takes every budget away' },
  'budget-per': { type: 'string', array: true, nargs: 1, requiresArg: true, describe: 'the same within each value of a label: zone=2; may be repeated; or none' },
  'on-stop': { choices: ['halt', 'undoWave', 'undoRun'] as const, requiresArg: true, describe: 'what a stop does with hosts already changed' },
  soak: { type: 'string', requiresArg: true, describe: 'wait between waves, such as 5m' },
  pause: { type: 'string', requiresArg: true, describe: 'waves after which a person must say continue: "after 1, 3", "after every wave" or none' },
  window: { ...ONLY_NONE, describe: 'none: do not wait for the maintenance window' },
  gate: { ...ONLY_NONE, describe: 'none: leave the command between waves out' },
  hooks: { ...ONLY_NONE, describe: 'none: run no hook' },
} as const satisfies Record<string, Options>;

const NAMES = Object.keys(ROLLOUT_OPTIONS);
const GROUP = 'Rollout (instead of what the playbook says):';

export function withRolloutOptions<T>(yargs: Argv<T>) {
  return yargs.options(ROLLOUT_OPTIONS).group(NAMES, GROUP);
}

/** For a run that is taken up: its waves stand, and what lies between them may be said anew. */
export function withSteeringOptions<T>(yargs: Argv<T>) {
  const { waves: _waves, canary: _canary, order: _order, ...steering } = ROLLOUT_OPTIONS;
  return yargs.options(steering).group(Object.keys(steering), GROUP);
}

/** By name, as typed; only those that were given. Repeated ones are joined by commas. */
export function rolloutFlags(args: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(NAMES.flatMap((name) => {
    const given = args[name];
    if (given === undefined) return [];
    return [[name, Array.isArray(given) ? given.map(String).join(',') : String(given)]];
  }));
}
