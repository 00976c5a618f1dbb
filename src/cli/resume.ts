/** `fleetmend resume`: goes on with a run that was interrupted, killed or left hosts stuck. Touches no host that has a good end. */
import type { CommandModule } from 'yargs';
import { cleanLine } from '../core/clean-text.js';
import { countHosts } from '../core/count-hosts.js';
import { foldNames } from '../core/fold-names.js';
import type { JournalEntry } from '../core/journal.js';
import { applyExitCode } from '../core/report.js';
import { standingOf } from '../core/rollout-standing.js';
import { hostsToResume } from '../engine/hosts-to-resume.js';
import { openHosts, resumeFleet } from '../engine/resume-fleet.js';
import { atEnd } from './at-end.js';
import { changeHosts } from './change-hosts.js';
import { nextCommands } from './next-commands.js';
import type { RunArguments } from './options.js';
import { withRunOptions } from './options.js';
import { say } from './outlet.js';
import { openPastRun } from './past-run.js';
import { rolloutFlags, withSteeringOptions } from './rollout-options.js';
import { withRolloutPorts } from './rollout-ports.js';
import { startSession } from './run-stage.js';

export const resumeCommand: CommandModule<object, RunArguments> = {
  command: 'resume <run>',
  describe: 'go on with a run: every host without a good end is finished, or restored, from its own position',
  builder: (yargs) => withSteeringOptions(withRunOptions(yargs)) as never,
  handler: async (args) => {
    process.exitCode = await resume(args);
  },
};

async function resume(args: RunArguments): Promise<number> {
  const open = await openPastRun(args, { rollout: rolloutFlags(args), reaches: hostsToResume });
  const { run, past } = open;
  const session = startSession(open.fleet, { output: args.output, run, resume: resumeCommandLine });
  try {
    const names = openHosts(past);
    const what = names.length === 0 ? 'no host is left to go on with' : `going on with ${names.length} of ${countHosts(past.hosts.length)}: ${foldNames(names)}`;
    say(`fleetmend: run ${run} (${open.record.playbook.name}, begun ${open.record.startedAt} by ${open.record.by}): ${what}`);
    for (const remark of endedSteering(past.entries)) say(`fleetmend: ${remark}`);
    return await changeHosts({
      stage: 'resume', session, journal: open.journal, directory: open.directory, names,
      work: (ports) => withRolloutPorts(open.directory, session, ports, (all) => resumeFleet(past, all)),
      exitCode: applyExitCode,
      next: (end) => nextCommands(run, end),
    });
  } finally {
    await atEnd(() => session.close(), () => open.release());
  }
}

/** What a person said to the process before holds for that process only. */
function endedSteering(entries: readonly JournalEntry[]): string[] {
  const before = standingOf(entries);
  const said = [
    ...(before?.paused === undefined ? [] : [`the pause of ${cleanLine(before.paused.by)}`]),
    ...(before?.within === undefined ? [] : [`the change to ${countHosts(before.within)} at once`]),
  ];
  return said.length === 0 ? [] : [`${said.join(' and ')} ended with the process before: say so again if it is to hold`];
}

/** Whole: the folder of the run knows how its hosts are reached. */
export function resumeCommandLine(run: string): string {
  return `fleetmend resume ${run}`;
}
