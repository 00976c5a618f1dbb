/** The options that all commands which reach hosts share, for yargs. Data only. */
import type { Argv, ArgumentsCamelCase } from 'yargs';

export const DEFAULT_CONCURRENCY = 64;

/** Adds the positional playbook and the shared options. */
export function withFleetOptions(yargs: Argv) {
  return withInventoryOptions(yargs)
    .positional('playbook', { type: 'string', demandOption: true, describe: 'playbook file (YAML)' })
    .option('set', { type: 'string', array: true, default: [] as string[], requiresArg: true, describe: 'a playbook parameter, NAME=VALUE' })
    .option('concurrency', { alias: 'c', type: 'number', default: DEFAULT_CONCURRENCY, requiresArg: true, describe: 'hosts worked on at once' })
    .option('host-keys', {
      choices: ['strict', 'accept-new'] as const, default: 'strict' as const,
      describe: 'strict: only host keys in known_hosts; accept-new: learn a key on first contact',
    })
    .option('known-hosts', { type: 'string', array: true, requiresArg: true, describe: 'known_hosts file (default: ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts)' })
    .option('identity-file', { type: 'string', requiresArg: true, describe: 'private key for hosts whose inventory names none' })
    .option('output', { alias: 'o', choices: ['text', 'json', 'ndjson'] as const, default: 'text' as const, describe: 'text for people, one JSON document, or the stream of events' });
}

export function withInventoryOptions(yargs: Argv) {
  return yargs
    .option('inventory', { alias: 'i', type: 'string', demandOption: true, requiresArg: true, describe: 'inventory file (YAML)' })
    .option('limit', {
      alias: 'l', type: 'string', array: true, default: [] as string[], requiresArg: true,
      describe: 'only these hosts: names, globs, labels (pool=a); comma means and, ! excludes; several --limit add up',
    });
}

/** What a command's handler receives. */
export type FleetArguments = ArgumentsCamelCase<
  ReturnType<typeof withFleetOptions> extends Argv<infer T> ? T : never
>;
