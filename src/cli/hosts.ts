/** `fleetmend hosts`: which hosts an inventory and a target expression mean. Reaches for none of them. */
import type { ArgumentsCamelCase, CommandModule } from 'yargs';
import { loadHosts } from './compose.js';
import { jsonDocument } from './json-document.js';
import { withInventoryOptions } from './options.js';
import { print } from './outlet.js';

interface HostsArguments {
  inventory: string;
  limit: string[];
  output: 'text' | 'json';
}

export const hostsCommand: CommandModule<object, HostsArguments> = {
  command: 'hosts',
  describe: 'list the hosts that an inventory and --limit select; connects to none',
  builder: (yargs) =>
    withInventoryOptions(yargs).option('output', { alias: 'o', choices: ['text', 'json'] as const, default: 'text' as const, describe: 'format' }) as never,
  handler: async (args: ArgumentsCamelCase<HostsArguments>) => {
    const hosts = await loadHosts(args.inventory, args.limit);
    const lines = hosts.map((host) => {
      const labels = Object.entries(host.labels).map(([key, value]) => `${key}=${value}`).join(' ');
      return `${host.name}  ${host.user}@${host.address}:${host.port}${host.become === 'sudo' ? ' (sudo)' : ''}  ${labels}`.trimEnd();
    });
    await print(args.output === 'json' ? jsonDocument(hosts, { withBytes: false }) : `${lines.join('\n')}\n`);
  },
};
