/** `fleetmend plan`: what apply would do, over connections that cannot write. */
import type { CommandModule } from 'yargs';
import type { SurveyResult } from '../core/report.js';
import { surveyExitCode } from '../core/report.js';
import type { HostPlan } from '../core/plan.js';
import type { Surveyed } from '../engine/survey-fleet.js';
import { planFleet } from '../engine/survey-fleet.js';
import { composeFleet } from './compose.js';
import { jsonDocument } from './json-document.js';
import type { FleetArguments } from './options.js';
import { GUARD, withFleetOptions } from './options.js';
import { createPaint } from './paint.js';
import { print, startSession } from './run-stage.js';
import type { PlannedHost } from './show-plans.js';
import { showPlans } from './show-plans.js';

type PlanArguments = FleetArguments & { guard?: 'none' | undefined };

export const planCommand: CommandModule<object, PlanArguments> = {
  command: 'plan <playbook>',
  describe: 'dry run: show every change, reload and restart; changes nothing',
  builder: (yargs) => withFleetOptions(yargs).option('guard', GUARD) as never,
  handler: async (args) => {
    process.exitCode = await plan(args);
  },
};

async function plan(args: PlanArguments): Promise<number> {
  const fleet = await composeFleet(args);
  const session = startSession(fleet, { output: args.output });
  try {
    const names = fleet.hosts.map((host) => host.name);
    const surveyed = await session.stage('plan', names, (emit) => planFleet(fleet.hosts, session.ports(emit)));
    const exitCode = surveyExitCode(surveyed.map(findingOf), session.interrupts.drain.aborted);
    if (args.output === 'text') await print(showPlans(surveyed.map(plannedHost), createPaint(process.stdout, process.env)));
    if (args.output === 'json') {
      const document = { run: session.run, stage: 'plan', playbook: fleet.playbook.name, exitCode, hosts: surveyed.map(plannedHost) };
      await print(jsonDocument(document, { withBytes: false }));
    }
    return exitCode;
  } finally {
    await session.close();
  }
}

export function plannedHost({ host, value, failure }: Surveyed<HostPlan>): PlannedHost {
  return failure === undefined ? { host: host.name, plan: value } : { host: host.name, failure };
}

function findingOf({ host, value, failure }: Surveyed<HostPlan>): SurveyResult {
  return failure === undefined ? { host: host.name, finding: value.finding } : { host: host.name, failure };
}
