/** `fleetmend apply`: plan, ask, change, prove. The only command that can write, and only on hosts that fail the audit. */
import type { CommandModule } from 'yargs';
import { cleanText } from '../core/clean-text.js';
import type { Failure } from '../core/failure.js';
import { describeFailure, failureOf } from '../core/failure.js';
import type { JournalEntry } from '../core/journal.js';
import type { HostPlan } from '../core/plan.js';
import type { Journal } from '../core/ports.js';
import type { HostResult } from '../core/report.js';
import { EXIT, applyExitCode } from '../core/report.js';
import type { Surveyed } from '../engine/survey-fleet.js';
import { planFleet } from '../engine/survey-fleet.js';
import { applyFleet } from '../engine/apply-fleet.js';
import { openFileJournal } from '../journals/index.js';
import { badInput, composeFleet, runDirectory } from './compose.js';
import { confirm } from './confirm.js';
import { jsonDocument } from './json-document.js';
import type { FleetArguments } from './options.js';
import { withFleetOptions } from './options.js';
import { createPaint } from './paint.js';
import { plannedHost } from './plan.js';
import type { Session } from './run-stage.js';
import { print, startSession } from './run-stage.js';
import { showPlans } from './show-plans.js';
import { showResults } from './show-results.js';

type ApplyArguments = FleetArguments & { yes: boolean };

export const applyCommand: CommandModule<object, ApplyArguments> = {
  command: 'apply <playbook>',
  describe: 'mend the hosts that fail the audit; each ends changed and proved, or restored and proved, or named as stuck',
  builder: (yargs) =>
    withFleetOptions(yargs).option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'do not ask before the first change' }) as never,
  handler: async (args) => {
    process.exitCode = await apply(args);
  },
};

async function apply(args: ApplyArguments): Promise<number> {
  if (!args.yes && (!process.stdin.isTTY || args.output !== 'text')) {
    throw badInput('apply shows the plan and asks for confirmation on a terminal; elsewhere, and with another --output than text, say --yes');
  }
  const fleet = await composeFleet(args);
  const session = startSession(fleet, args);
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
    return await change(planned, session);
  } finally {
    await session.close();
  }
}

async function change(planned: readonly Surveyed<HostPlan>[], session: Session): Promise<number> {
  const directory = runDirectory(session.run);
  const { journal, complaint } = listenForLoss(await openFileJournal(directory));
  try {
    const names = planned.map(({ host }) => host.name);
    const results = await session.stage('apply', names, (emit) => applyFleet(planned, { ...session.ports(emit), journal }));
    const exitCode = applyExitCode(results, session.interrupts.drain.aborted);
    await show(results, exitCode, directory, session);
    await journal.close().catch(() => undefined);
    return complaint() === undefined ? exitCode : Math.max(exitCode, EXIT.failed);
  } catch (thrown) {
    // Hosts may have been changed: this is no matter of usage any more.
    process.stderr.write(`fleetmend: ${cleanText(describeFailure(failureOf(thrown)))}; look at the hosts of ${directory}\n`);
    return EXIT.stuck;
  }
}

/** A run whose journal is not whole says so, at once and by its exit code. */
function listenForLoss(journal: Journal): { journal: Journal; complaint: () => Failure | undefined } {
  let failure: Failure | undefined;
  const append = async (entry: JournalEntry): Promise<void> => {
    try {
      await journal.append(entry);
    } catch (thrown) {
      if (failure === undefined) process.stderr.write(`fleetmend: ${cleanText(describeFailure(failureOf(thrown)))}; no further change is begun\n`);
      failure ??= failureOf(thrown);
      throw thrown;
    }
  };
  return { journal: { ...journal, append }, complaint: () => failure };
}

async function show(results: readonly HostResult[], exitCode: number, directory: string, session: Session): Promise<void> {
  if (session.output === 'text') {
    await print(`${showResults(results, createPaint(process.stdout, process.env))}\njournal: ${directory}\n`);
  }
  if (session.output === 'json') {
    const { playbook } = session.fleet;
    await print(jsonDocument({ run: session.run, stage: 'apply', playbook: playbook.name, exitCode, journal: directory, hosts: results }, { withBytes: false }));
  }
}
