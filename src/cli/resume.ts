/** `fleetmend resume`: goes on with a run that was interrupted, killed or left hosts stuck. Touches no host that has a good end. */
import type { CommandModule } from 'yargs';
import { foldNames } from '../core/fold-names.js';
import { applyExitCode } from '../core/report.js';
import { openHosts, resumeFleet } from '../engine/resume-fleet.js';
import { atEnd } from './at-end.js';
import { changeHosts, nextCommands } from './change-hosts.js';
import type { RunArguments } from './options.js';
import { withRunOptions } from './options.js';
import { openPastRun } from './past-run.js';
import { startSession } from './run-stage.js';

export const resumeCommand: CommandModule<object, RunArguments> = {
  command: 'resume <run>',
  describe: 'go on with a run: every host without a good end is finished, or restored, from its own position',
  builder: (yargs) => withRunOptions(yargs) as never,
  handler: async (args) => {
    process.exitCode = await resume(args);
  },
};

async function resume(args: RunArguments): Promise<number> {
  const open = await openPastRun(args);
  const { run, past } = open;
  const session = startSession(open.fleet, { output: args.output, run, resume: resumeCommandLine });
  try {
    const names = openHosts(past);
    const what = names.length === 0 ? 'no host is left to go on with' : `going on with ${names.length} of ${past.hosts.length} hosts: ${foldNames(names)}`;
    process.stderr.write(`fleetmend: run ${run} (${open.record.playbook.name}, begun ${open.record.startedAt} by ${open.record.by}): ${what}\n`);
    return await changeHosts({
      stage: 'resume', session, journal: open.journal, directory: open.directory, names,
      work: (ports) => resumeFleet(past, ports),
      exitCode: applyExitCode,
      next: (results) => nextCommands(run, results),
    });
  } finally {
    await atEnd(() => session.close(), () => open.release());
  }
}

/** Whole: the folder of the run knows how its hosts are reached. */
export function resumeCommandLine(run: string): string {
  return `fleetmend resume ${run}`;
}
