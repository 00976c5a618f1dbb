/** The command line beats the inventory, the inventory beats ssh_config, and no host is reached where the way is not clear. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { describeFailure, failureOf } from '../../src/core/failure.js';
import type { Host } from '../../src/core/host.js';
import { parseInventory } from '../../src/sources/inventory-file.js';
import { loadConfigFiles } from '../../src/ssh/config-files.js';
import type { RouteChoices } from '../../src/ssh/hop-of.js';
import { refuseSameEnds } from '../../src/ssh/refuse-same-ends.js';
import type { Routes, Way } from '../../src/ssh/routes.js';
import { createRoutes } from '../../src/ssh/routes.js';

interface Case {
  readonly name: string;
  readonly config?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly choices?: Partial<RouteChoices> & { readonly localUser?: string | null };
  readonly inventory: string;
  readonly ways?: Readonly<Record<string, unknown>>;
  readonly remarks?: readonly string[];
  readonly error?: string;
}

function homeForTest(): string {
  const home = mkdtempSync(join(tmpdir(), 'fleetmend-routes-'));
  onTestFinished(() => { rmSync(home, { recursive: true }); });
  mkdirSync(join(home, '.ssh'));
  return home;
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode: 0o600 });
}

/** Without the files of this machine. */
function routesAt(home: string, { localUser = 'me', ...choices }: NonNullable<Case['choices']> = {}, reads: string[] = []): Routes {
  return createRoutes({
    home, directory: home, localHost: 'here', uid: 1000, env: {}, agentSocket: '/run/env-agent', ...choices,
    ...(localUser === null ? {} : { localUser }),
    load: (options) => {
      reads.push(options.file ?? '');
      return loadConfigFiles({ ...options, file: options.file ?? join(home, '.ssh', 'config') });
    },
  });
}

async function waysOf(home: string, hosts: readonly Host[], choices: Case['choices']): Promise<Map<string, Way>> {
  const routes = routesAt(home, choices);
  const ways = new Map<string, Way>();
  for (const host of hosts) ways.set(host.name, await routes.wayOf(host));
  refuseSameEnds([...ways].map(([name, { route }]) => ({ name, route })));
  return ways;
}

/** Null in a case: absent. */
function withoutNulls(value: unknown, expected: unknown): unknown {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) return value;
  const members = Object.entries(expected).map(([key, one]) => [key, one === null ? null : undefined] as const).filter(([, one]) => one === null);
  const nested = Object.entries(expected).map(([key, one]) => [key, withoutNulls((value as Record<string, unknown>)[key], one)] as const);
  return { ...(value as object), ...Object.fromEntries(nested), ...Object.fromEntries(members.filter(([key]) => (value as Record<string, unknown>)[key] === undefined)) };
}

const cases = parse(readFileSync(new URL('routes/cases.yaml', import.meta.url), 'utf8')) as Case[];

it.each(cases)('$name', async ({ config = '', files = {}, choices, inventory, ways, remarks, error }) => {
  const home = homeForTest();
  write(join(home, '.ssh', 'config'), config);
  for (const [file, text] of Object.entries(files)) write(join(home, file), text);
  const hosts = parseInventory(join(home, 'fleet/hosts.yaml'), inventory, { home });
  const shown = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll(home, 'HOME')) as T;
  const found = await waysOf(home, hosts, choices).catch((thrown: unknown) => thrown);
  if (error !== undefined) {
    expect(shown(describeFailure(failureOf(found)))).toBe(error);
    expect(failureOf(found).kind).toBe('badInput');
    return;
  }
  if (!(found instanceof Map)) throw found;
  const all = found as Map<string, Way>;
  for (const [name, expected] of Object.entries(ways ?? {})) {
    const { route } = shown(all.get(name) as Way);
    expect(withoutNulls(route, expected), name).toMatchObject(expected as object);
  }
  expect(shown([...all.values()].flatMap((way) => way.remarks))).toEqual(remarks ?? []);
});

it('weak algorithms that are said for all are also for the jump hosts', async () => {
  const home = homeForTest();
  write(join(home, '.ssh', 'config'), 'Host n1\n  ProxyJump gate\n');
  const host: Host = { name: 'n1', address: 'n1', become: 'none', labels: {}, ssh: { legacyAlgorithms: true, legacyJumps: true } };
  const { jumps } = await routesAt(home).routeOf(host);
  expect(jumps.map(({ algorithms }) => algorithms.legacy)).toEqual([true]);
});

it('each file is read once for a fleet, and each way is found once', async () => {
  const home = homeForTest();
  write(join(home, '.ssh', 'config'), 'Host n*\n  User deploy\n');
  write(join(home, 'other'), 'User other\n');
  const hosts = parseInventory(join(home, 'hosts.yaml'), 'groups: { a: { hosts: ["n[1:50]"] }, b: { ssh: { config: other }, hosts: ["m[1:50]"] } }', { home });
  const reads: string[] = [];
  const routes = routesAt(home, {}, reads);
  const ways = await Promise.all(hosts.map((host) => routes.wayOf(host)));
  expect(ways.map(({ route }) => route.target.user)).toEqual([...Array.from({ length: 50 }, () => 'deploy'), ...Array.from({ length: 50 }, () => 'other')]);
  expect(reads).toEqual(['', join(home, 'other')]);
  expect(await routes.wayOf(hosts[0] as Host)).toBe(ways[0]);
});
