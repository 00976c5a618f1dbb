/** `fleetmend apply`: plan, ask, change, prove. Begins to write only on hosts that fail the audit, and only after a yes. */
import type { CommandModule } from 'yargs';
import type { HostPlan } from '../core/plan.js';
import { EXIT, applyExitCode } from '../core/report.js';
import { applyFleet } from '../engine/apply-fleet.js';
import type { Surveyed } from '../engine/survey-fleet.js';
import { planFleet } from '../engine/survey-fleet.js';
import { createRunFolder } from '../journals/index.js';
import { atEnd } from './at-end.js';
import { changeHosts, nextCommands } from './change-hosts.js';
import type { NewFleet } from './compose.js';
import { badInput, composeFleet } from './compose.js';
import { confirm } from './confirm.js';
import type { FleetArguments } from './options.js';
import { GUARD, YES, withFleetOptions } from './options.js';
import { createPaint } from './paint.js';
import { plannedHost } from './plan.js';
import { resumeCommandLine } from './resume.js';
import type { Session } from './run-stage.js';
import { print, startSession } from './run-stage.js';
import { showPlans } from './show-plans.js';
import { runsRoot } from './state-directory.js';
import { systemClock } from './system-clock.js';
import { whoAmI } from './who.js';

type ApplyArguments = FleetArguments & { yes: boolean; guard?: 'none' | undefined };

export const applyCommand: CommandModule<object, ApplyArguments> = {
  command: 'apply <playbook>',
  describe: 'mend the hosts that fail the audit; each ends changed and proved, or restored and proved, or named as stuck',
  builder: (yargs) =>
    withFleetOptions(yargs).option('yes', { ...YES, describe: 'do not ask before the first change' }).option('guard', GUARD) as never,
  handler: async (args) => {
    process.exitCode = await apply(args);
  },
};

async function apply(args: ApplyArguments): Promise<number> {
  refuseSilentYes('apply shows the plan and asks', args);
  const fleet = await composeFleet(args);
  let begun = false;
  const session = startSession(fleet, { output: args.output, resume: (run) => (begun ? resumeCommandLine(run) : undefined) });
  try {
    const names = fleet.hosts.map((host) => host.name);
    const planned = await session.stage('plan', names, (emit) => planFleet(fleet.hosts, session.ports(emit)));
    const toChange = planned.filter((surveyed) => surveyed.value !== undefined && surveyed.value.steps.length > 0).length;
    if (args.output === 'text') await print(showPlans(planned.map(plannedHost), createPaint(process.stdout, process.env)));
    if (toChange > 0 && !args.yes) {
      const answer = await confirm(`Change ${toChange} ${toChange === 1 ? 'host' : 'hosts'}?`, session.interrupts.drain);
      if (answer !== 'yes') {
        process.stderr.write('nothing was changed\n');
        return answer === 'interrupted' ? EXIT.interrupted : EXIT.usage;
      }
    }
    return await change(planned, fleet, session, () => { begun = true; });
  } finally {
    await atEnd(() => session.close());
  }
}

/** Without a terminal, and beside a document for programs, there is nobody to ask. */
export function refuseSilentYes(what: string, args: { yes: boolean; output: string }): void {
  if (args.yes || (process.stdin.isTTY && args.output === 'text')) return;
  throw badInput(`${what} for confirmation on a terminal; elsewhere, and with another --output than text, say --yes`);
}

async function change(planned: readonly Surveyed<HostPlan>[], fleet: NewFleet, session: Session, begin: () => void): Promise<number> {
  const { run } = session;
  const record = {
    run, startedAt: systemClock.now().toISOString(), by: whoAmI(), playbook: fleet.origin, hosts: fleet.hosts, connection: fleet.connection,
  };
  const folder = await createRunFolder(runsRoot(), record, planned.flatMap(({ value }) => (value ? [value] : [])));
  const hold = await folder.hold(whoAmI(), systemClock.now());
  begin();
  try {
    return await changeHosts({
      stage: 'apply', session, journal: await folder.openJournal(), directory: folder.directory,
      names: planned.map(({ host }) => host.name),
      work: (ports) => applyFleet(planned, ports),
      exitCode: applyExitCode,
      next: (results) => nextCommands(run, results),
    });
  } finally {
    await atEnd(() => hold.release());
  }
}
