/** The options that all commands which reach hosts share, for yargs. Data only. */
import type { Argv, ArgumentsCamelCase } from 'yargs';
import { BURST, DEFAULT_STARTS_PER_SECOND } from '../core/ramp.js';

export const DEFAULT_CONCURRENCY = 64;

/** Adds the positional playbook and the shared options. */
export function withFleetOptions(yargs: Argv, output = OUTPUT) {
  return withConnectionOptions(withInventoryOptions(yargs), output)
    .positional('playbook', { type: 'string', demandOption: true, describe: 'playbook file (YAML)' })
    .option('set', SET);
}

/** How hosts are reached, and the format of the output. */
function withConnectionOptions<T>(yargs: Argv<T>, output = OUTPUT) {
  return withSecretOptions(withWayOptions(yargs))
    .option('concurrency', CONCURRENCY)
    .option('starts-per-second', STARTS_PER_SECOND)
    .option('known-hosts', { ...KNOWN_HOSTS, describe: 'known_hosts file instead of those of ssh_config (default: ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts)' })
    .option('identity-file', IDENTITY_FILE)
    .option('output', output);
}

/** What the command line may say of the way to a host. */
function withWayOptions<T>(yargs: Argv<T>) {
  return yargs
    .option('ssh-config', { alias: 'F', type: 'string', requiresArg: true, describe: 'ssh_config file instead of ~/.ssh/config and /etc/ssh/ssh_config; none: read none' })
    .option('proxy-jump', { alias: 'J', type: 'string', requiresArg: true, describe: 'jump hosts instead of those of inventory and ssh_config: [USER@]HOST[:PORT], the nearest first, with commas; none: no jump. A HOST may be one of the inventory (not for a saved plan or a past run), which keeps its own way' })
    .option('host-keys', HOST_KEYS)
    .option('legacy-algorithms', { type: 'boolean', default: false, describe: 'allow weak algorithms (SHA-1, CBC) for nodes that know nothing better' })
    .option('verbose', { alias: 'v', type: 'boolean', default: false, describe: 'say how hosts are reached before the first one is: files, jump hosts, order of login, becoming root' });
}

function withSecretOptions<T>(yargs: Argv<T>) {
  return yargs
    .option('ask-password', { type: 'boolean', default: false, describe: 'ask once for the login password of hosts whose inventory names no source of one; keys are tried first' })
    .option('ask-become-password', { alias: 'K', type: 'boolean', default: false, describe: 'ask once for the password of sudo, doas or su, for hosts whose inventory names no source of one' });
}

/** For `apply`, which takes its hosts and its playbook from files, from a saved plan, or from a past run. */
export function withApplyOptions(yargs: Argv) {
  return withConnectionOptions(yargs)
    .positional('source', { type: 'string', demandOption: true, describe: 'playbook file (YAML), plan file of `fleetmend plan`, or, with --rerun, a run' })
    .option('inventory', { ...INVENTORY, demandOption: false, describe: 'inventory file (YAML); with a playbook' })
    .option('limit', LIMIT)
    .option('set', SET);
}

/** For commands that take up a past run: what it said of connections counts unless it is said anew. */
export function withRunOptions(yargs: Argv) {
  return withSecretOptions(withWayOptions(yargs))
    .positional('run', { type: 'string', demandOption: true, describe: 'name of a run, or the start of one: `fleetmend runs`' })
    .option('concurrency', CONCURRENCY)
    .option('starts-per-second', STARTS_PER_SECOND)
    .option('known-hosts', { ...KNOWN_HOSTS, describe: 'known_hosts file instead of those of the run' })
    .option('identity-file', { ...IDENTITY_FILE, describe: 'private key instead of those of the run, for all its hosts' })
    .option('output', OUTPUT);
}

export function withUnlockOptions(yargs: Argv) {
  return withSecretOptions(withWayOptions(withInventoryOptions(yargs)))
    .option('concurrency', CONCURRENCY)
    .option('starts-per-second', STARTS_PER_SECOND)
    .option('known-hosts', { ...KNOWN_HOSTS, describe: 'known_hosts file' })
    .option('identity-file', IDENTITY_FILE)
    .option('output', TEXT_OR_JSON);
}

/** For `hosts`, which shows ways and goes none. */
export function withHostsOptions(yargs: Argv) {
  return withWayOptions(withInventoryOptions(yargs))
    .option('known-hosts', { ...KNOWN_HOSTS, describe: 'known_hosts file' })
    .option('identity-file', IDENTITY_FILE)
    .option('output', TEXT_OR_JSON);
}

const INVENTORY = { alias: 'i', type: 'string', requiresArg: true } as const;
const SET = { type: 'string' as const, array: true as const, default: [] as string[], requiresArg: true, describe: 'a playbook parameter, NAME=VALUE' };
const CONCURRENCY = { alias: 'c', type: 'string', requiresArg: true, coerce: toNumber, describe: `hosts looked at at once, ${DEFAULT_CONCURRENCY} by default; and changed at once where no \`within\` says otherwise` } as const;
const STARTS_PER_SECOND = {
  type: 'string', requiresArg: true, coerce: toNumber,
  describe: `connections started in a second, ${DEFAULT_STARTS_PER_SECOND} by default, the first ${BURST} at once; fewer by itself when servers turn us away`,
} as const;
const HOST_KEYS = {
  choices: ['strict', 'accept-new'] as const, requiresArg: true,
  describe: 'strict, the default where ssh_config says nothing: only host keys in known_hosts; accept-new: learn a key on first contact',
} as const;
const KNOWN_HOSTS = { type: 'string', array: true, requiresArg: true } as const;
const IDENTITY_FILE = { type: 'string', requiresArg: true, describe: 'private key for hosts whose inventory names none' } as const;
const FORMATS = ['text', 'json', 'ndjson'] as const;
type Format = (typeof FORMATS)[number];
const OUTPUT = {
  alias: 'o' as string | readonly string[], choices: FORMATS, default: 'text' as Format,
  describe: 'text for people, one JSON document, or the stream of events',
};
const TEXT_OR_JSON = { alias: 'o', choices: ['text', 'json'] as const, default: 'text' as const, describe: 'format' };
/** For `plan`, where -o also names the file to save the plan in. */
export const OUTPUT_OF_PLAN = { ...OUTPUT, alias: [], describe: 'text for people, one JSON document, or the stream of events; -o takes these words too' };
export const OUT = { alias: 'o', type: 'string', requiresArg: true, describe: 'save the plan in this file, for `fleetmend apply FILE`; text, json or ndjson instead of a file mean --output' } as const;

/** Is this the name of a format, not of a file? */
export function isFormat(text: string): text is Format {
  return FORMATS.some((format) => format === text);
}
export const LIMIT = {
  alias: 'l', type: 'string' as const, array: true as const, default: [] as string[], requiresArg: true,
  describe: 'only these hosts: names, globs, labels (pool=a); comma means and, ! excludes; several --limit add up',
};
export const YES = { alias: 'y', type: 'boolean', default: false } as const;
export const GUARD = {
  choices: ['none'] as const, requiresArg: true,
  describe: 'none: nodes do not restore themselves when the connection is lost for good',
} as const;

function withInventoryOptions(yargs: Argv) {
  return yargs
    .option('inventory', { ...INVENTORY, demandOption: true, describe: 'inventory file (YAML)' })
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
export type HostsArguments = ArgumentsCamelCase<
  ReturnType<typeof withHostsOptions> extends Argv<infer T> ? T : never
>;
export type RunArguments = ArgumentsCamelCase<
  ReturnType<typeof withRunOptions> extends Argv<infer T> ? T : never
>;
export type ConnectionArguments = ArgumentsCamelCase<
  ReturnType<typeof withConnectionOptions> extends Argv<infer T> ? T : never
>;
export type ApplyArguments = ArgumentsCamelCase<
  ReturnType<typeof withApplyOptions> extends Argv<infer T> ? T : never
>;
export type FleetArguments = ArgumentsCamelCase<
  ReturnType<typeof withFleetOptions> extends Argv<infer T> ? T : never
>;
