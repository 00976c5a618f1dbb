/**
 * The way to all hosts of one command: routes, secrets, transports. Resolves every way and asks every question before the first host
 * is reached and before a live view stands on the terminal; says what a person must know of it. Connects to nothing yet.
 */
import { homedir, hostname, userInfo } from 'node:os';
import { runSecretCommand } from '../commands/secret-command.js';
import { cleanText } from '../core/clean-text.js';
import { countHosts } from '../core/count-hosts.js';
import { FleetmendError } from '../core/failure.js';
import { foldNames } from '../core/fold-names.js';
import type { Host } from '../core/host.js';
import { hideKnown, shownForms } from '../core/known-secrets.js';
import type { Connector, Transport } from '../core/ports.js';
import { DEFAULT_STARTS_PER_SECOND } from '../core/ramp.js';
import type { ConnectionChoices } from '../core/run-record.js';
import type { SecretRequest, SecretSource } from '../core/secret.js';
import { rampConnector } from '../engine/ramp.js';
import { createConnector } from '../host/connector.js';
import { becomeRequest } from '../host/root-password.js';
import { requireSsh } from '../openssh/require-ssh.js';
import { createOpenSshTransport } from '../openssh/transport.js';
import type { KeySources } from '../ssh/key-sources.js';
import { createKeySources } from '../ssh/key-sources.js';
import { refuseSameEnds } from '../ssh/refuse-same-ends.js';
import type { Hop } from '../ssh/route.js';
import type { Routes, Way } from '../ssh/routes.js';
import { createRoutes } from '../ssh/routes.js';
import { secretsNeeded } from '../ssh/secrets-needed.js';
import { createSshTransport } from '../ssh/transport.js';
import type { Reach } from './describe-ways.js';
import { describeWays, remarksOf } from './describe-ways.js';
import { hideInFailures } from './hide-in-failures.js';
import { learnSecrets, say } from './outlet.js';
import type { PastHosts } from './reach-past.js';
import { reachPast } from './reach-past.js';
import { canAskSecret, readSecret } from './read-secret.js';
import type { AskedSecrets } from './secrets.js';
import { createSecrets } from './secrets.js';
import { systemClock } from './system-clock.js';

type WayChoices = Pick<ConnectionChoices, 'hostKeys' | 'knownHosts'>;

export interface ConnectorOptions {
  /** All of the inventory, the plan or the run: a variable that holds a secret of one is handed on to no program, whether it is reached or not. */
  readonly all: readonly Host[];
  /** Of a run that was begun: what is wrong with the way to one host keeps no other one from its end. */
  readonly past?: PastHosts;
  readonly verbose?: boolean | undefined;
}

/** Rejects with FleetmendError: badInput where a way cannot be right, interrupted where a question was not answered. */
export async function composeConnector(due: readonly Host[], connection: ConnectionChoices, { all, past, verbose = false }: ConnectorOptions): Promise<Connector> {
  const routes = composeRoutes(connection);
  const ofPast = past === undefined ? undefined : await reachPast(due, all, past, routes);
  const reaches = ofPast?.reaches ?? (await reachAll(due, routes));
  const hosts = reaches.map(({ host }) => host);
  const keySources = createKeySources();
  for (const remark of [...(ofPast?.remarks ?? []), ...legacyRemark(hosts), ...remarksOf(reaches)]) say(`fleetmend: ${cleanText(remark)}`);
  if (verbose) say(cleanText(await describeWays(reaches, keySources)));
  const ofPerhaps = new Set(past?.perhaps);
  const requests = [
    ...(await requestsOf(reaches.filter(({ host }) => !ofPerhaps.has(host)), keySources)),
    ...(await requestsOf(reaches.filter(({ host }) => ofPerhaps.has(host)), keySources)).map((request) => ({ ...request, optional: true as const })),
  ];
  const known = new Set<string>();
  const secrets = composeSecrets(takeVariables([...requests.map(({ source }) => source), ...all.flatMap(sourcesOf)]), known);
  if (hosts.some(({ transport }) => transport === 'openssh')) await requireSsh(process.env);
  await secrets.askAhead(requests);
  const named = createNames(routes);
  const ssh2 = createSshTransport({ routeOf: async (host) => (await routes.wayOf(named.originalOf(host))).route, secrets, keySources });
  const hostKeys = connection.hostKeys === undefined ? {} : { hostKeys: hostKeyMode(connection.hostKeys) };
  const openssh = createOpenSshTransport({ environment: process.env, ...hostKeys, ...(connection.knownHosts ? { knownHostsFiles: connection.knownHosts } : {}) });
  const transport: Transport = { open: (host, ...how) => (host.transport === 'openssh' ? openssh : ssh2).open(host, ...how) };
  const connector = named.over(createConnector(transport, { secrets }));
  const discreet = hideInFailures(ofPast?.keepApart(connector) ?? connector, (text) => hideKnown(text, known));
  return rampConnector(discreet, { startsPerSecond: connection.startsPerSecond ?? DEFAULT_STARTS_PER_SECOND }, systemClock);
}

export function composeRoutes({ hostKeys, knownHosts }: WayChoices): Routes {
  const agentSocket = process.env['SSH_AUTH_SOCK'];
  const localUser = nameOfUser();
  return createRoutes({
    home: homedir(), directory: process.cwd(), localHost: hostname(), uid: process.getuid?.() ?? 0, env: process.env,
    ...(localUser === undefined ? {} : { localUser }), ...(agentSocket ? { agentSocket } : {}),
    ...(hostKeys === undefined ? {} : { hostKeys: hostKeyMode(hostKeys) }), ...(knownHosts ? { knownHostsFiles: knownHosts } : {}),
  });
}

/** Rejects with FleetmendError (badInput), also where two names lead to one machine. */
export async function reachAll(hosts: readonly Host[], routes: Routes): Promise<Reach[]> {
  const reaches: Reach[] = [];
  for (const host of hosts) reaches.push(host.transport === 'openssh' ? { host } : { host, way: await routes.wayOf(host) });
  refuseSameEnds(reaches.flatMap(({ host, way }) => (way === undefined ? [] : [{ name: host.name, route: way.route }])));
  return reaches;
}

function hostKeyMode(choice: NonNullable<ConnectionChoices['hostKeys']>): 'strict' | 'acceptNew' {
  return choice === 'accept-new' ? 'acceptNew' : 'strict';
}

/** A user id without an account, as in many containers, has none. */
function nameOfUser(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

async function requestsOf(reaches: readonly Reach[], keySources: KeySources): Promise<SecretRequest[]> {
  const requests: SecretRequest[] = [];
  for (const { host, way } of reaches) {
    const hops = way === undefined ? [] : [...way.route.jumps, way.route.target];
    for (const hop of hops) requests.push(...(await neededFor(hop, keySources)));
    const become = becomeRequest(withUser(host, way));
    if (become !== undefined) requests.push(become);
  }
  return requests;
}

/** `known` gets all that is learned. */
function composeSecrets(environment: NodeJS.ProcessEnv, known: Set<string>): AskedSecrets {
  return createSecrets({
    environment, clock: systemClock,
    ask: canAskSecret() ? readSecret : undefined,
    run: (argv, label, signal) => runSecretCommand(argv, label, signal, { directory: process.cwd(), environment: process.env }),
    learn: (secret) => {
      const values = shownForms(secret).filter((form) => !known.has(form));
      for (const value of values) known.add(value);
      learnSecrets({ names: [], values });
    },
  });
}

/** A key that cannot be used is the failure of its host, when its turn comes. */
async function neededFor(hop: Hop, keySources: KeySources): Promise<readonly SecretRequest[]> {
  return await secretsNeeded(hop, keySources).catch((error: unknown) => {
    if (error instanceof FleetmendError && error.failure.kind === 'authentication') return [];
    throw error;
  });
}

/** The variables that hold secrets, taken out of our environment before any program is started: none gets them. */
function takeVariables(sources: readonly SecretSource[]): NodeJS.ProcessEnv {
  const names = new Set(sources.flatMap((source) => (source.from === 'env' ? [source.name] : [])));
  const taken: NodeJS.ProcessEnv = {};
  for (const name of names) {
    const value = process.env[name];
    if (value !== undefined) taken[name] = value;
    Reflect.deleteProperty(process.env, name);
  }
  return taken;
}

function sourcesOf({ becoming, ssh }: Host): SecretSource[] {
  return [becoming, ssh, ...(ssh?.jumpHosts ?? []).map((jump) => jump.ssh)].flatMap((said) => said?.password ?? []);
}

function legacyRemark(hosts: readonly Host[]): string[] {
  const weak = hosts.filter(({ ssh }) => ssh?.legacyAlgorithms === true).map(({ name }) => name);
  if (weak.length === 0) return [];
  return [`WARNING: weak algorithms (SHA-1, CBC) are allowed for ${countHosts(weak.length)}: ${foldNames(weak)}; somebody on the way could read or change what is said`];
}

function withUser(host: Host, way: Way | undefined): Host {
  return way === undefined || host.user !== undefined ? host : { ...host, user: way.route.target.user };
}

/** Hosts with the user that ssh_config gives them, for words and for becoming root; and back. */
function createNames(routes: Routes): { originalOf(host: Host): Host; over(connector: Connector): Connector } {
  const originals = new WeakMap<Host, Host>();
  const nameOf = async (host: Host): Promise<Host> => {
    if (host.transport === 'openssh') return host;
    const named = withUser(host, await routes.wayOf(host));
    originals.set(named, host);
    return named;
  };
  return {
    originalOf: (host) => originals.get(host) ?? host,
    over: (connector) => ({
      openToRead: async (host, signal) => await connector.openToRead(await nameOf(host), signal),
      openToWrite: async (host, signal) => await connector.openToWrite(await nameOf(host), signal),
    }),
  };
}
