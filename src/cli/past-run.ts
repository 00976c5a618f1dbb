/** Opens a past run for a command that goes on with it: its folder held for this process, its fleet, its hosts' states. */
import type { Host } from '../core/host.js';
import type { Journal } from '../core/ports.js';
import type { ConnectionChoices, RunRecord } from '../core/run-record.js';
import type { PastRun } from '../engine/resume-fleet.js';
import { findRun, openRunFolder } from '../journals/index.js';
import { atEnd } from './at-end.js';
import type { Fleet } from './compose.js';
import { checkConcurrency, checkStarts, playbookOf } from './compose.js';
import { composeConnector } from './compose-connector.js';
import { hostsAgain } from './host-choices.js';
import type { RunArguments } from './options.js';
import { say } from './outlet.js';
import { runsRoot } from './state-directory.js';
import { systemClock } from './system-clock.js';
import { whoAmI } from './who.js';

export interface OpenRun {
  readonly run: string;
  readonly directory: string;
  readonly record: RunRecord;
  readonly fleet: Fleet;
  readonly past: PastRun;
  readonly journal: Journal;
  /** The journal stays open: whoever works on the hosts closes it. */
  release(): Promise<void>;
}

export interface PastChoices {
  /** What is said of it now, as typed. */
  readonly rollout?: Readonly<Record<string, string>>;
  /** Names of hosts: only their ways are made and only their passwords asked for. Those of `perhaps` stop nothing. */
  reaches(past: PastRun): { readonly due: readonly string[]; readonly perhaps?: readonly string[] };
}

/** Throws FleetmendError: badInput for no such run, locked when another process of this machine works on it. */
export async function openPastRun(args: RunArguments, { rollout = {}, reaches }: PastChoices): Promise<OpenRun> {
  const root = runsRoot();
  const run = await findRun(root, args.run);
  const folder = await openRunFolder(root, run);
  const hold = await folder.hold(whoAmI(), systemClock.now());
  let journal: Journal | undefined;
  try {
    if (hold.remark !== undefined) say(`fleetmend: run ${run}: ${hold.remark}`);
    const { record } = folder;
    const playbook = playbookOf(record.playbook, rollout);
    const connection = choose(record.connection, args);
    const hosts = hostsAgain(record.hosts, args);
    // Opened first, so that what a crash left of a last line is out of the way.
    journal = await folder.openJournal();
    const past = { hosts, shown: await folder.readShown(), entries: await folder.readEntries() };
    const { due, perhaps = [] } = reaches(past);
    const named = (names: readonly string[]): Host[] => hosts.filter(({ name }) => names.includes(name));
    const connector = await composeConnector(named(due), connection, {
      all: hosts, verbose: args.verbose, past: { perhaps: named(perhaps), keyOf: (name) => past.shown.get(name)?.observed?.hostKey },
    });
    const fleet = { playbook, hosts, concurrency: connection.concurrency, connector };
    return { run, directory: folder.directory, record, fleet, past, journal, release: () => hold.release() };
  } catch (thrown) {
    await atEnd(async () => { await journal?.close(); }, () => hold.release());
    throw thrown;
  }
}

/** What is said now wins over what was said then. */
function choose(then: ConnectionChoices, args: RunArguments): ConnectionChoices {
  return {
    ...then,
    ...(args.concurrency === undefined ? {} : { concurrency: checkConcurrency(args.concurrency) }),
    ...(args.startsPerSecond === undefined ? {} : { startsPerSecond: checkStarts(args.startsPerSecond) }),
    ...(args.hostKeys === undefined ? {} : { hostKeys: args.hostKeys }),
    ...(args.knownHosts === undefined ? {} : { knownHosts: args.knownHosts }),
  };
}
