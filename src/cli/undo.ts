/** `fleetmend undo`: brings the hosts that a run changed back to their old state, proved. Never touches a host that the run did not. */
import type { CommandModule } from 'yargs';
import type { HostPlan } from '../core/plan.js';
import { EXIT, undoExitCode } from '../core/report.js';
import { judgeUndo } from '../core/run-state.js';
import { selectHosts } from '../core/select-hosts.js';
import type { PastRun } from '../engine/resume-fleet.js';
import { statesOf } from '../engine/resume-fleet.js';
import { undoFleet } from '../engine/undo-fleet.js';
import { refuseSilentYes } from './apply.js';
import { atEnd } from './at-end.js';
import { changeHosts } from './change-hosts.js';
import { confirm } from './confirm.js';
import type { RunArguments } from './options.js';
import { LIMIT, YES, withRunOptions } from './options.js';
import { createPaint } from './paint.js';
import { openPastRun } from './past-run.js';
import { print, say } from './outlet.js';
import { startSession } from './run-stage.js';
import { showUndo } from './show-undo.js';

type UndoArguments = RunArguments & { limit: string[]; yes: boolean; force: boolean };

export const undoCommand: CommandModule<object, UndoArguments> = {
  command: 'undo <run>',
  describe: 'bring the hosts that a run changed back to their old state: bytes, mode, owner, and the service that runs with them',
  builder: (yargs) =>
    withRunOptions(yargs)
      .option('limit', LIMIT)
      .option('yes', { ...YES, describe: 'do not ask before the first change' })
      .option('force', { type: 'boolean', default: false, describe: 'also where somebody changed a file since (that one is kept beside the saved copies on the node), or the command line' }) as never,
  handler: async (args) => {
    process.exitCode = await undo(args);
  },
};

async function undo(args: UndoArguments): Promise<number> {
  refuseSilentYes('undo names the hosts and asks', args);
  const namesIn = (past: PastRun): ReadonlySet<string> => new Set((args.limit.length === 0 ? past.hosts : selectHosts(past.hosts, args.limit)).map((host) => host.name));
  const open = await openPastRun(args, { reaches: (past) => ({ due: plansToUndo(past, namesIn(past)).map((plan) => plan.host) }) });
  const again = undoCommandLine(open.run, args);
  const session = startSession(open.fleet, { output: args.output, run: open.run, resume: () => again });
  try {
    const names = namesIn(open.past);
    const plans = plansToUndo(open.past, names);
    if (args.output === 'text') await print(showUndo(plans, names.size, createPaint(process.stdout, process.env)));
    if (plans.length > 0 && !args.yes) {
      const answer = await confirm(`Bring ${plans.length} ${plans.length === 1 ? 'host' : 'hosts'} back?`, session.interrupts.drain);
      if (answer !== 'yes') {
        say('nothing was changed');
        return answer === 'interrupted' ? EXIT.interrupted : EXIT.usage;
      }
    }
    return await changeHosts({
      stage: 'undo', session, journal: open.journal, directory: open.directory, names: plans.map((plan) => plan.host),
      work: async (ports) => ({ results: await undoFleet(open.past, names, args.force ? 'save' : 'refuse', ports), complaints: [] }),
      exitCode: undoExitCode,
      next: ({ results }) => (results.some(({ outcome }) => outcome === 'stuck') ? [`to go on: ${again}`] : []),
    });
  } finally {
    await atEnd(() => session.close(), () => open.release());
  }
}

/** A resume would go forwards with the hosts whose undo was not begun. */
function undoCommandLine(run: string, { limit, force }: UndoArguments): string {
  return ['fleetmend undo', run, ...limit.map((expression) => `--limit '${expression}'`), ...(force ? ['--force'] : [])].join(' ');
}

function plansToUndo(past: PastRun, names: ReadonlySet<string>): HostPlan[] {
  return [...statesOf(past)].flatMap(([host, state]) => (names.has(host) && judgeUndo(state).can && state.plan ? [state.plan] : []));
}
