/** How hosts are reached, in words: grouped over hosts with the same answer. Looks at key files and agents; connects to nothing. */
import { failureOf } from '../core/failure.js';
import { countHosts } from '../core/count-hosts.js';
import { foldNames } from '../core/fold-names.js';
import type { Host } from '../core/host.js';
import { describeLogin, describeSource } from '../ssh/describe-login.js';
import type { KeySources } from '../ssh/key-sources.js';
import type { Hop, Route } from '../ssh/route.js';
import type { Way } from '../ssh/routes.js';

/** A host and how it is reached; of a host that the system's own ssh reaches only that ssh knows. */
export interface Reach {
  readonly host: Host;
  readonly way?: Way;
}

/** For `--verbose`. Of many lines, each indented. */
export async function describeWays(reaches: readonly Reach[], keySources: KeySources): Promise<string> {
  const groups = new Map<string, string[]>();
  for (const { host, way } of reaches) {
    const text = [...(way === undefined ? openSshLines(host) : await wayLines(way, keySources)), `root: ${describeRoot(host)}`].join('\n');
    groups.set(text, [...(groups.get(text) ?? []), host.name]);
  }
  const blocks = [...groups].map(([text, names]) => `${countHosts(names.length)}, ${foldNames(names)}:\n${indent(text)}`);
  return `how hosts are reached:\n${indent(blocks.join('\n'))}`;
}

/** `ssh -J` tells the `ssh` of a jump host nothing of ours. */
const CONFIG_JUMPS = 'jump hosts that only ssh_config names are trusted as ssh_config says, not as --host-keys and --known-hosts say';

function openSshLines({ ssh, user }: Host): string[] {
  const file = ssh?.config === undefined ? 'with its own configuration' : ssh.config === 'none' ? 'without ssh_config' : `with ${ssh.config.file}`;
  return [`by the ssh program of this system, ${file}${user === undefined ? '' : `, as ${user}`}; ssh -G says the rest`, ...(ssh?.config === 'none' || ssh?.proxyJump === 'none' ? [] : [CONFIG_JUMPS])];
}

async function wayLines({ route, files, configs }: Way, keySources: KeySources): Promise<string[]> {
  const meaningless = optionsWithPlaces(configs.flatMap(({ remarks }) => remarks.meaningless));
  const lines = [`ssh_config: ${files.length === 0 ? 'none' : files.join(', ')}`, `way: ${describeProxy(route)}`];
  for (const hop of route.jumps) lines.push(`jump host ${hop.name}, ${endOf(hop)}:`, indent((await hopLines(hop, keySources)).join('\n')));
  lines.push(...(await hopLines(route.target, keySources)));
  if (meaningless.length > 0) lines.push(`no meaning here: ${meaningless.join(', ')}`);
  return lines;
}

async function hopLines(hop: Hop, keySources: KeySources): Promise<string[]> {
  const { hostKeys, login, algorithms } = hop;
  const offers = await describeLogin(hop, keySources).catch((error: unknown) => [`not possible: ${failureOf(error).summary}`]);
  return [
    `login as ${hop.user}, in this order${login.identitiesOnly ? ', and no other key' : ''}:`, ...offers.map((offer) => `  ${offer}`),
    `host keys: ${hostKeys.mode === 'strict' ? 'only known ones' : 'a new one is recorded, a changed one refused'}; ${hostKeys.files.join(', ')}${hostKeys.alias === undefined ? '' : `; under the name ${hostKeys.alias}`}`,
    ...(algorithms.legacy ? ['algorithms: weak ones too (SHA-1, CBC)'] : []),
  ];
}

/** `deploy@10.0.0.1:22`. */
export function endOf({ user, address, port }: Hop): string {
  return `${user}@${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function describeProxy({ jumps, proxyCommand }: Route): string {
  const first = proxyCommand === undefined ? [] : [`the program ${proxyCommand}`];
  const all = [...first, ...jumps.map(endOf)];
  return all.length === 0 ? 'straight' : `through ${all.join(', then ')}`;
}

function describeRoot({ become, becoming }: Host): string {
  if (become === 'none') return 'the user that logs in';
  const password = becoming?.password === undefined ? 'without a password' : `with ${describeSource(becoming.password)}`;
  return `${become} ${password}${becoming?.terminal === 'pty' ? ', on a terminal' : ''}${becoming?.scope === 'commands' ? ', single commands only' : ''}`;
}

/** What is not done as ssh_config says; each line once for the whole command. */
export function remarksOf(reaches: readonly Reach[]): string[] {
  const ways = reaches.flatMap(({ way }) => way ?? []);
  const configs = ways.flatMap(({ configs: all }) => all);
  const unsupported = optionsWithPlaces(configs.flatMap(({ remarks }) => remarks.unsupported));
  const notRun = [...new Set(configs.flatMap(({ remarks }) => remarks.notRun.map(({ file, line }) => `${file}:${line}`)))];
  return [
    ...(unsupported.length === 0 ? [] : [`ssh_config: fleetmend cannot do ${unsupported.join(', ')}; \`transport: openssh\` in the inventory leaves them to the ssh of this system`]),
    ...(notRun.length === 0 ? [] : [`ssh_config: Match exec is never run, and what stands below it does not count (${notRun.join(', ')})`]),
    ...new Set(ways.flatMap(({ remarks }) => remarks)),
  ];
}

/** `Option (FILE:LINE, FILE:LINE)`. */
function optionsWithPlaces(remarks: readonly { readonly option: string; readonly place: { readonly file: string; readonly line: number } }[]): string[] {
  const places = new Map<string, Set<string>>();
  for (const { option, place } of remarks) places.set(option, (places.get(option) ?? new Set()).add(`${place.file}:${place.line}`));
  return [...places].map(([option, where]) => `${option} (${[...where].join(', ')})`);
}

function indent(text: string): string {
  return text.split('\n').map((line) => `  ${line}`).join('\n');
}
