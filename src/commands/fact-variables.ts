/** The environment of a hook or a gate: the inherited one, and what its facts say in a word, for programs that read no JSON. Pure. */

/** Variable and the key of the facts that it stands for. */
const VARIABLES = { FLEETMEND_RUN: 'run', FLEETMEND_HOOK: 'hook', FLEETMEND_HOST: 'host', FLEETMEND_WAVE: 'wave' } as const;

/** One that does not apply is absent, also when fleetmend itself was started by a hook and has it. */
export function factVariables(inherited: NodeJS.ProcessEnv, facts: unknown): NodeJS.ProcessEnv {
  const environment = { ...inherited };
  for (const [variable, key] of Object.entries(VARIABLES)) {
    const value = wordOf(facts, key);
    if (value === undefined) Reflect.deleteProperty(environment, variable);
    else environment[variable] = value;
  }
  return environment;
}

/** By which member a host or a wave that stands there as a whole is named. */
const NAMES: Readonly<Record<string, string>> = { host: 'name', wave: 'number' };

function wordOf(facts: unknown, key: string): string | undefined {
  if (typeof facts !== 'object' || facts === null || !(key in facts)) return undefined;
  const value: unknown = (facts as Record<string, unknown>)[key];
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value.includes('\0') ? undefined : value;
  const name = NAMES[key];
  return name === undefined ? undefined : wordOf(value, name);
}
