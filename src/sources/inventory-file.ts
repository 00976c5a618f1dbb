/**
 * The text of an inventory file as hosts: groups, defaults < group < host, ranges, labels.
 * Never returns a part: either every host of the file is right, or one error names everything that is wrong.
 */
import type { Host } from '../core/host.js';
import { expandHostRange, MAX_RANGE_HOSTS } from '../core/host-range.js';
import { badInput, describeValue, quoteText } from '../core/input-error.js';
import type { SaidOfHosts } from '../core/ports.js';
import { type Checker, makeChecker } from './check-values.js';
import { joinJumps, withWay } from './inventory-jumps.js';
import { joinSettings, makeHost } from './inventory-levels.js';
import { mistakenSecrets } from './inventory-ssh-schema.js';
import {
  ADDRESS_EXPECTED, fileSchema, GROUP_NAME_EXPECTED, groupSchema, HOST_NAME_EXPECTED, hostSchema, isAddress, isGroupName, isHostName,
  type Settings, settingsSchema,
} from './inventory-schema.js';
import { isMapping, parseYamlDocument, type ValuePath } from './yaml-document.js';

/** Who runs fleetmend, for what an inventory leaves open. */
export interface Person {
  /** Where `~` leads. */
  readonly home: string;
}

interface Reading {
  readonly checker: Checker;
  readonly person: Person;
  readonly hosts: Host[];
  /** Where each name, and each endpoint as it is written, was used first. Names in small letters: DNS knows no others. */
  readonly names: Map<string, ValuePath>;
  readonly endpoints: Map<string, ValuePath>;
  /** Hosts that were written so far, repeats included: the work that the file asks for. */
  written: number;
}

/** Settings of an outer level; `complete` is false when some of them were wrong and are missing. */
interface Level {
  readonly settings: Settings;
  readonly complete: boolean;
}

const MAX_HOST_CHARACTERS = 1000;

/** Throws FleetmendError (badInput). Hosts in the order of the file; each carries the label `group`. */
export function parseInventory(file: string, text: string, person: Person, said?: SaidOfHosts): Host[] {
  const parsed = parseYamlDocument(file, text);
  if (!parsed.ok) throw badInput(parsed.errors);
  const reading: Reading = { checker: makeChecker(parsed.document), person, hosts: [], names: new Map(), endpoints: new Map(), written: 0 };
  readFile(reading, parsed.document.value);
  if (reading.checker.errors.length > 0) throw badInput(reading.checker.errors);
  const hosts = withJumps(reading, said);
  if (reading.checker.errors.length > 0) throw badInput(reading.checker.errors);
  return hosts;
}

/** Only now is every host known that a jump may name. */
function withJumps({ checker, hosts, names }: Reading, said?: SaidOfHosts): Host[] {
  const own = said === undefined ? hosts : hosts.map((host) => said.with(host));
  const byName = new Map(own.map((host) => [host.name.toLowerCase(), host]));
  return own.map((host) => {
    const { host: joined, loop } = joinJumps(said?.proxyJump === undefined ? host : withWay(host, said.proxyJump, byName), byName);
    if (joined !== undefined) return joined;
    checker.refuse(names.get(host.name.toLowerCase()) ?? [], 'a way of jump hosts that ends', `a loop: ${loop.join(', ')}`);
    return host;
  });
}

function readFile(reading: Reading, value: unknown): void {
  const { checker } = reading;
  checker.check(fileSchema, value, []);
  if (!isMapping(value)) return;
  checker.hide(mistakenSecrets(value['defaults']));
  const defaults = value['defaults'] === undefined ? {} : checker.check(settingsSchema, value['defaults'], ['defaults']);
  const level: Level = { settings: defaults ?? {}, complete: defaults !== undefined };
  const groups = value['groups'];
  if (!isMapping(groups) || Object.keys(groups).length === 0) {
    checker.refuse(['groups'], 'a mapping with at least one group', describeValue(groups));
    return;
  }
  for (const [name, group] of Object.entries(groups)) readGroup(reading, level, name, group);
}

function readGroup(reading: Reading, defaults: Level, name: string, value: unknown): void {
  const { checker } = reading;
  const path = ['groups', name];
  if (!isGroupName(name)) checker.refuse(path, GROUP_NAME_EXPECTED, quoteText(name), 'key');
  checker.hide(mistakenSecrets(value));
  const checked = checker.check(groupSchema, value, path);
  if (!isMapping(value)) return;
  const hosts = value['hosts'];
  if (!Array.isArray(hosts) || hosts.length === 0) {
    checker.refuse([...path, 'hosts'], 'a list with at least one host', describeValue(hosts));
    return;
  }
  const settings = settingsOf(checked);
  const labels = { ...settings.labels, group: name };
  const level: Level = { settings: joinSettings(defaults.settings, { ...settings, labels }), complete: defaults.complete && checked !== undefined };
  for (const [index, host] of hosts.entries()) readHost(reading, level, host, [...path, 'hosts', index]);
}

function readHost(reading: Reading, group: Level, value: unknown, path: ValuePath): void {
  const { checker } = reading;
  if (typeof value === 'string') {
    addHosts(reading, group, { name: value, at: path }, undefined, path);
    return;
  }
  if (!isMapping(value)) {
    checker.refuse(path, 'a host name, a range or a mapping with a name', describeValue(value));
    return;
  }
  checker.hide(mistakenSecrets(value));
  const checked = checker.check(hostSchema, value, path);
  const { name, address } = value;
  if (typeof name !== 'string') return;
  const settings = settingsOf(checked);
  const level: Level = { settings: joinSettings(group.settings, settings), complete: group.complete && checked !== undefined };
  const written = typeof address === 'string' ? { name: address, at: [...path, 'address'] } : undefined;
  addHosts(reading, level, { name, at: [...path, 'name'] }, written, path);
}

interface Written {
  readonly name: string;
  readonly at: ValuePath;
}

function addHosts(reading: Reading, level: Level, name: Written, address: Written | undefined, path: ValuePath): void {
  const { checker } = reading;
  if (reading.written > MAX_RANGE_HOSTS) return;
  const names = expand(checker, name, isHostName, HOST_NAME_EXPECTED);
  const addresses = address === undefined ? names : expand(checker, address, isAddress, ADDRESS_EXPECTED);
  if (names === undefined) return;
  if (addresses !== undefined && addresses.length !== names.length) {
    checker.refuse(address?.at ?? name.at, `one address for each of the ${names.length} names`, String(addresses.length));
    return;
  }
  reading.written += names.length;
  if (reading.written > MAX_RANGE_HOSTS) {
    checker.refuse(name.at, `at most ${MAX_RANGE_HOSTS} hosts in an inventory`);
    return;
  }
  const fresh = names.map((each) => takeOnce(reading.names, each.toLowerCase(), path));
  refuseRepeats(checker, name.at, 'each host once', names, fresh);
  if (addresses === undefined) return;
  const place = { file: checker.document.file, home: reading.person.home };
  const hosts = names.map((each, index) => makeHost(level.settings, each, addresses[index] ?? each, place));
  reading.hosts.push(...hosts);
  if (level.complete) refuseSettings(checker, level.settings, hosts, path);
  if (!level.complete || fresh.some((first) => first !== undefined)) return;
  const endpoints = hosts.map(({ address: to, port }) => `${to.toLowerCase()}${port === undefined ? '' : ` port ${port}`}`);
  const taken = endpoints.map((endpoint) => takeOnce(reading.endpoints, `${endpoint} ${String(level.settings.ssh?.proxyJump)}`, path));
  refuseRepeats(checker, (address ?? name).at, 'each address and port once', endpoints, taken);
}

/** What is right by itself and wrong together, after all levels are joined. */
function refuseSettings(checker: Checker, { become, transport }: Settings, [host]: readonly Host[], path: ValuePath): void {
  if (typeof become === 'object' && become.method === undefined) checker.refuse(path, 'a method beside the other keys of become: sudo, doas or su');
  if (host?.becoming?.scope === 'commands' && (host.become !== 'sudo' || host.becoming.password !== undefined || host.becoming.terminal !== undefined)) {
    checker.refuse(path, 'method: sudo, and neither a password nor tty, beside scope: commands');
  }
  if (transport === 'openssh' && host?.ssh?.password !== undefined) {
    checker.refuse(path, 'no login password with transport: openssh: it runs ssh where nobody can type one (ssh: { password: none })');
  }
}

/** Every name that was written, or undefined after the error was collected. */
function expand(checker: Checker, written: Written, accepts: (name: string) => boolean, expected: string): readonly string[] | undefined {
  if (written.name.length > MAX_HOST_CHARACTERS) {
    checker.refuse(written.at, expected, quoteText(written.name));
    return undefined;
  }
  const expanded = expandHostRange(written.name);
  if (!expanded.ok) {
    checker.refuse(written.at, expanded.expected, expanded.got);
    return undefined;
  }
  const bad = expanded.names.find((name) => !accepts(name));
  if (bad === undefined) return expanded.names;
  checker.refuse(written.at, expected, quoteText(bad));
  return undefined;
}

/** Where the key was taken before; undefined when it was free. */
function takeOnce(taken: Map<string, ValuePath>, key: string, path: ValuePath): ValuePath | undefined {
  const first = taken.get(key);
  if (first === undefined) taken.set(key, path);
  return first;
}

/** One error for all repeats of a line: a range may repeat thousands. */
function refuseRepeats(checker: Checker, at: ValuePath, expected: string, keys: readonly string[], firsts: readonly (ValuePath | undefined)[]): void {
  const index = firsts.findIndex((first) => first !== undefined);
  const first = firsts[index];
  if (first === undefined) return;
  const { line, column } = checker.document.positionOf(first);
  const others = firsts.filter((each) => each !== undefined).length - 1;
  const more = others === 0 ? '' : `, and ${others} more`;
  checker.refuse(at, expected, `${quoteText(keys[index] ?? '')} again (first at ${line}:${column}, ${first.join('/')})${more}`);
}

/** Only the settings of a checked group or host; none when it was wrong. */
function settingsOf(checked: Settings | undefined): Settings {
  const { user, port, identityFile, become, connectTimeout, labels, transport, ssh } = checked ?? {};
  const settings = Object.entries({ user, port, identityFile, become, connectTimeout, labels, transport, ssh });
  return Object.fromEntries(settings.filter(([, value]) => value !== undefined));
}
