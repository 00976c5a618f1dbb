/**
 * The ways to the hosts of a run that was begun: what is wrong with one of them keeps no other host from its end. Where two of its
 * hosts lead to one machine by now, each is let in only with the host key that its plan was made with. Never refuses the whole run
 * as long as one way is right.
 */
import { cleanLine } from '../core/clean-text.js';
import type { Failure } from '../core/failure.js';
import { FleetmendError, failureOf } from '../core/failure.js';
import type { Host } from '../core/host.js';
import type { Connector, ReadSession } from '../core/ports.js';
import type { SameEnd } from '../ssh/refuse-same-ends.js';
import { describeSameEnds, sameEnds } from '../ssh/refuse-same-ends.js';
import type { Routes } from '../ssh/routes.js';
import type { Reach } from './describe-ways.js';

export interface PastHosts {
  /** They may be reached too; nothing of them stops the command. */
  readonly perhaps: readonly Host[];
  /** The host key that the plan of a host was made with. */
  keyOf(host: string): string | undefined;
}

export interface PastReach {
  readonly reaches: readonly Reach[];
  /** For a person. */
  readonly remarks: readonly string[];
  /** To be laid over the connector. */
  keepApart(connector: Connector): Connector;
}

/** Rejects with FleetmendError (badInput) where no way of those that are due can be made. */
export async function reachPast(due: readonly Host[], all: readonly Host[], { perhaps, keyOf }: PastHosts, routes: Routes): Promise<PastReach> {
  const reaches: Reach[] = [];
  const remarks: string[] = [];
  for (const host of [...due, ...perhaps]) {
    try {
      reaches.push(host.transport === 'openssh' ? { host } : { host, way: await routes.wayOf(host) });
    } catch (thrown) {
      const { summary } = failureOf(thrown);
      remarks.push(`${summary.startsWith(`${host.name}:`) ? '' : `${host.name}: `}${summary}; it cannot be reached, and the others go on`);
      if (remarks.length === due.length && reaches.length === 0) throw thrown;
    }
  }
  const shared = await sharedEnds(all, routes);
  const concerned = shared.filter(({ names }) => reaches.some(({ host }) => names.includes(host.name)));
  for (const line of describeSameEnds(concerned)) {
    remarks.push(`one machine has several names: ${line}; each is let in only with the host key that its plan was made with, so correct HostName and Port in ssh_config`);
  }
  const names = new Set(concerned.flatMap((end) => end.names));
  return { reaches, remarks, keepApart: (connector) => keepApart(connector, names, keyOf) };
}

async function sharedEnds(all: readonly Host[], routes: Routes): Promise<SameEnd[]> {
  const ways = await Promise.all(all.map(async (host) => {
    if (host.transport === 'openssh') return [];
    const way = await routes.wayOf(host).catch(() => undefined);
    return way === undefined ? [] : [{ name: host.name, route: way.route }];
  }));
  return sameEnds(ways.flat());
}

function keepApart(connector: Connector, names: ReadonlySet<string>, keyOf: PastHosts['keyOf']): Connector {
  if (names.size === 0) return connector;
  const check = async <S extends ReadSession>({ name }: Host, session: S): Promise<S> => {
    const key = keyOf(name);
    if (!names.has(name) || key === session.hostKey) return session;
    await session.close();
    throw new FleetmendError(otherMachine(name, session.hostKey, key));
  };
  return {
    openToRead: async (host, signal) => await check(host, await connector.openToRead(host, signal)),
    openToWrite: async (host, signal) => await check(host, await connector.openToWrite(host, signal)),
  };
}

function otherMachine(name: string, found: string, then: string | undefined): Failure {
  return {
    kind: 'hostKeyChanged', summary: `${name} leads to the machine of another host of this run: its key is ${cleanLine(found)}${then === undefined ? '' : `, not ${cleanLine(then)}`}`,
    done: 'nothing was touched there', next: 'correct HostName and Port in ssh_config, then take the run up again',
  };
}
