/** `fleetmend hosts`: which hosts an inventory and a target expression mean, and the way to each. Reaches for none of them, runs nothing. */
import type { ArgumentsCamelCase, CommandModule } from 'yargs';
import { cleanText } from '../core/clean-text.js';
import type { Host } from '../core/host.js';
import { createKeySources } from '../ssh/key-sources.js';
import { chooseConnection, loadInventory } from './compose.js';
import { composeRoutes, reachAll } from './compose-connector.js';
import type { Reach } from './describe-ways.js';
import { describeWays, endOf, remarksOf } from './describe-ways.js';
import { jsonDocument } from './json-document.js';
import type { HostsArguments } from './options.js';
import { withHostsOptions } from './options.js';
import { print, say } from './outlet.js';

export const hostsCommand: CommandModule<object, HostsArguments> = {
  command: 'hosts',
  describe: 'list the hosts that an inventory and --limit select, and the way to each; connects to none',
  builder: (yargs) => withHostsOptions(yargs) as never,
  handler: list,
};

async function list(args: ArgumentsCamelCase<HostsArguments>): Promise<void> {
  const reaches = await reachAll((await loadInventory(args.inventory, args.limit, args)).hosts, composeRoutes(chooseConnection(args)));
  for (const remark of remarksOf(reaches)) say(`fleetmend: ${cleanText(remark)}`);
  if (args.verbose) say(cleanText(await describeWays(reaches, createKeySources())));
  await print(args.output === 'json' ? jsonDocument(reaches.map(documentOf), { withBytes: false }) : reaches.map(lineOf).join(''));
}

function lineOf({ host, way }: Reach): string {
  const labels = Object.entries(host.labels).map(([key, value]) => `${key}=${value}`);
  const { user, port, address } = host;
  const end = way === undefined ? `${user === undefined ? '' : `${user}@`}${address}${port === undefined ? '' : `:${port}`} (openssh)` : endOf(way.route.target);
  const jumps = way === undefined ? [] : [...(way.route.proxyCommand === undefined ? [] : ['a program']), ...way.route.jumps.map(endOf)];
  const through = jumps.length === 0 ? [] : [`through ${jumps.join(', ')}`];
  const parts = [`${end}${host.become === 'none' ? '' : ` (${host.become})`}`, ...through, ...(labels.length === 0 ? [] : [labels.join(' ')])];
  return `${cleanText([host.name, ...parts].join('  '))}\n`;
}

/** What the inventory says, and where it leads. */
function documentOf({ host, way }: Reach): unknown {
  const { becoming, ssh, ...plain } = host;
  const said = { ...plain, ...(becoming ? { becoming: sourceShown(becoming) } : {}), ...(ssh ? { ssh: { ...sourceShown(ssh), ...jumpsShown(ssh) } } : {}) };
  if (way === undefined) return said;
  const { target, jumps, proxyCommand } = way.route;
  const { user, address, port } = target;
  return { ...said, route: { user, address, port, jumps: jumps.map(endOf), ...(proxyCommand === undefined ? {} : { proxyCommand }) } };
}

/** Where a password comes from is no secret; what stands under its own name would be hidden as one. */
function sourceShown({ password, ...rest }: { readonly password?: unknown }): object {
  return password === undefined ? rest : { ...rest, passwordFrom: password };
}

function jumpsShown({ jumpHosts }: NonNullable<Host['ssh']>): object {
  return jumpHosts === undefined ? {} : { jumpHosts: jumpHosts.map(({ ssh, ...jump }) => (ssh === undefined ? jump : { ...jump, ssh: sourceShown(ssh) })) };
}
