/** `fleetmend sudoers`: the least rules under which a playbook can do its work. Reads files of the controller only. */
import type { ArgumentsCamelCase, CommandModule } from 'yargs';
import type { Host } from '../core/host.js';
import { sudoersFile, type RootLogin } from '../host/sudoers-file.js';
import { readPlaybook } from '../sources/index.js';
import { badInput } from './bad-input.js';
import { CATALOGUE, loadInventory } from './compose.js';
import { LIMIT } from './options.js';
import { print } from './outlet.js';

interface SudoersArguments {
  playbook: string;
  inventory?: string;
  limit: string[];
  user?: string;
  scope?: 'commands';
  file: string[];
}

export const sudoersCommand: CommandModule<object, SudoersArguments> = {
  command: 'sudoers <playbook>',
  describe: 'print the sudo rules that a playbook takes on its nodes; connects to no host',
  builder: (yargs) =>
    yargs
      .positional('playbook', { type: 'string', demandOption: true, describe: 'playbook file (YAML)' })
      .option('inventory', { alias: 'i', type: 'string', requiresArg: true, describe: 'inventory file (YAML): who logs in, and how each becomes root' })
      .option('limit', LIMIT)
      .option('user', { type: 'string', requiresArg: true, describe: 'who logs in, where the inventory does not say; without an inventory, by sudo without a password' })
      .option('scope', { choices: ['commands'] as const, requiresArg: true, describe: 'commands: no root shell, but single commands that only read, for audit and plan' })
      .option('file', { type: 'string', array: true, default: [] as string[], requiresArg: true, describe: 'with --scope commands: a file of these nodes that only root may read' }) as never,
  handler: async (args: ArgumentsCamelCase<SudoersArguments>) => {
    const playbook = await readPlaybook(args.playbook, CATALOGUE, {});
    const hosts = args.inventory === undefined ? [] : (await loadInventory(args.inventory, args.limit, {})).hosts;
    const logins = args.inventory === undefined ? [loginOf(args.user)] : groupLogins(hosts, args.user);
    const narrow = logins.map((login): RootLogin => (args.scope && login.become !== 'none' ? { ...login, become: 'sudo', becoming: { scope: args.scope } } : login));
    const usual = CATALOGUE.probes[playbook.audit.probe]?.usualFiles?.(playbook.audit.params) ?? [];
    await print(sudoersFile({ playbook: playbook.name, logins: narrow, files: [...new Set([...usual, ...args.file.map(checkFile)])] }));
  },
};

function loginOf(user: string | undefined): RootLogin {
  if (user === undefined) throw badInput('say who logs in: --user NAME, or --inventory FILE');
  return { user: checkUser(user), become: 'sudo', hosts: [] };
}

/** One for each user and way to root, in the order of the inventory. */
function groupLogins(hosts: readonly Host[], userElsewhere: string | undefined): RootLogin[] {
  const logins = new Map<string, RootLogin & { readonly hosts: string[] }>();
  for (const { name, user = userElsewhere, become, becoming } of hosts) {
    if (user === undefined) throw badInput(`${name}: the inventory does not say who logs in: --user NAME`);
    const way = becoming && { ...becoming, ...(becoming.password ? { password: { from: 'prompt' as const } } : {}) };
    const key = JSON.stringify([user, become, way?.password, way?.terminal, way?.scope]);
    const login = logins.get(key) ?? { user: checkUser(user), become, becoming: way, hosts: [] };
    logins.set(key, login);
    login.hosts.push(name);
  }
  return [...logins.values()];
}

function checkUser(user: string): string {
  if (/^[^\s%+#!"-][^\s"]*$/.test(user)) return user;
  throw badInput(`--user: expected the name of a user, got ${JSON.stringify(user)}`);
}

function checkFile(file: string): string {
  if (file.startsWith('/') && !/[\u0000-\u001f\u007f]/.test(file)) return file;
  throw badInput(`--file: expected an absolute path, got ${JSON.stringify(file)}`);
}
