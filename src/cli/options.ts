/** The options that all commands which reach hosts share, for yargs. Data only. */
import type { Argv, ArgumentsCamelCase } from 'yargs';

export const DEFAULT_CONCURRENCY = 64;

/** Adds the positional playbook and the shared options. */
export function withFleetOptions(yargs: Argv) {
  return withInventoryOptions(yargs)
    .positional('playbook', { type: 'string', demandOption: true, describe: 'playbook file (YAML)' })
    .option('set', { type: 'string', array: true, default: [] as string[], requiresArg: true, describe: 'a playbook parameter, NAME=VALUE' })
    .option('concurrency', { ...CONCURRENCY, default: DEFAULT_CONCURRENCY })
    .option('host-keys', { ...HOST_KEYS, default: 'strict' as const })
    .option('known-hosts', { ...KNOWN_HOSTS, describe: 'known_hosts file (default: ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts)' })
    .option('identity-file', IDENTITY_FILE)
    .option('output', OUTPUT);
}

/** For commands that take up a past run: what it said of connections counts unless it is said anew. */
export function withRunOptions(yargs: Argv) {
  return yargs
    .positional('run', { type: 'string', demandOption: true, describe: 'name of a run, or the start of one: `fleetmend runs`' })
    .option('concurrency', CONCURRENCY)
    .option('host-keys', HOST_KEYS)
    .option('known-hosts', { ...KNOWN_HOSTS, describe: 'known_hosts file instead of those of the run' })
    .option('identity-file', { ...IDENTITY_FILE, describe: 'private key instead of those of the run, for all its hosts' })
    .option('output', OUTPUT);
}

export function withUnlockOptions(yargs: Argv) {
  return withInventoryOptions(yargs)
    .option('concurrency', { ...CONCURRENCY, default: DEFAULT_CONCURRENCY })
    .option('host-keys', { ...HOST_KEYS, default: 'strict' as const })
    .option('known-hosts', { ...KNOWN_HOSTS, describe: 'known_hosts file' })
    .option('identity-file', IDENTITY_FILE)
    .option('output', { alias: 'o', choices: ['text', 'json'] as const, default: 'text' as const, describe: 'format' });
}

const CONCURRENCY = { alias: 'c', type: 'string', requiresArg: true, coerce: toNumber, describe: 'hosts worked on at once' } as const;
const HOST_KEYS = {
  choices: ['strict', 'accept-new'] as const, requiresArg: true,
  describe: 'strict: only host keys in known_hosts; accept-new: learn a key on first contact',
} as const;
const KNOWN_HOSTS = { type: 'string', array: true, requiresArg: true } as const;
const IDENTITY_FILE = { type: 'string', requiresArg: true, describe: 'private key for hosts whose inventory names none' } as const;
const OUTPUT = {
  alias: 'o', choices: ['text', 'json', 'ndjson'] as const, default: 'text' as const,
  describe: 'text for people, one JSON document, or the stream of events',
} as const;
export const LIMIT = {
  alias: 'l', type: 'string' as const, array: true as const, default: [] as string[], requiresArg: true,
  describe: 'only these hosts: names, globs, labels (pool=a); comma means and, ! excludes; several --limit add up',
};
export const YES = { alias: 'y', type: 'boolean', default: false } as const;
export const GUARD = {
  choices: ['none'] as const, requiresArg: true,
  describe: 'none: nodes do not restore themselves when the connection is lost for good',
} as const;

export function withInventoryOptions(yargs: Argv) {
  return yargs
    .option('inventory', { alias: 'i', type: 'string', demandOption: true, requiresArg: true, describe: 'inventory file (YAML)' })
    .option('limit', LIMIT);
}

/**
 * For a number instead of `type: 'number'`, with which yargs takes a repeated option that ends with 1 for a counter:
 * `-c 5 -c 1` would be 6. Several values are handed on as they are, to be refused.
 */
function toNumber(given: string | number | readonly string[] | undefined): number {
  return Array.isArray(given) ? (given as never) : Number(given);
}

/** What a command's handler receives. */
export type UnlockArguments = ArgumentsCamelCase<
  ReturnType<typeof withUnlockOptions> extends Argv<infer T> ? T : never
>;
export type RunArguments = ArgumentsCamelCase<
  ReturnType<typeof withRunOptions> extends Argv<infer T> ? T : never
>;
export type FleetArguments = ArgumentsCamelCase<
  ReturnType<typeof withFleetOptions> extends Argv<infer T> ? T : never
>;
