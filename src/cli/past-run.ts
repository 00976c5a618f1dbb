/** Opens a past run for a command that goes on with it: its folder held for this process, its fleet, its hosts' states. */
import type { Journal } from '../core/ports.js';
import type { ConnectionChoices, RunRecord } from '../core/run-record.js';
import type { PastRun } from '../engine/resume-fleet.js';
import { findRun, openRunFolder } from '../journals/index.js';
import { atEnd } from './at-end.js';
import type { Fleet } from './compose.js';
import { checkConcurrency, checkStarts, composeConnector, playbookOf, withIdentity } from './compose.js';
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

/** `rollout`: what is said of it now, as typed. Throws FleetmendError: badInput for no such run, locked when another process of this machine works on it. */
export async function openPastRun(args: RunArguments, rollout: Readonly<Record<string, string>> = {}): Promise<OpenRun> {
  const root = runsRoot();
  const run = await findRun(root, args.run);
  const folder = await openRunFolder(root, run);
  const hold = await folder.hold(whoAmI(), systemClock.now());
  try {
    if (hold.remark !== undefined) say(`fleetmend: run ${run}: ${hold.remark}`);
    const { record } = folder;
    const playbook = playbookOf(record.playbook, rollout);
    const connection = choose(record.connection, args);
    const hosts = record.hosts.map((host) => withIdentity(host, args.identityFile));
    const fleet = { playbook, hosts, concurrency: connection.concurrency, connector: composeConnector(connection) };
    // Opened first, so that what a crash left of a last line is out of the way.
    const journal = await folder.openJournal();
    const past = { hosts, shown: await folder.readShown(), entries: await folder.readEntries() };
    return { run, directory: folder.directory, record, fleet, past, journal, release: () => hold.release() };
  } catch (thrown) {
    await atEnd(() => hold.release());
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
