/** `fleetmend plan`: what apply would do, over connections that cannot write; saved in a file when one is named. */
import type { CommandModule } from 'yargs';
import type { HostPlan } from '../core/plan.js';
import { planDigest } from '../core/plan-digest.js';
import type { SurveyResult } from '../core/report.js';
import { surveyExitCode } from '../core/report.js';
import type { PlanContent } from '../core/saved-plan.js';
import type { Surveyed } from '../engine/survey-fleet.js';
import { planFleet } from '../engine/survey-fleet.js';
import { checkPlanPlace, writeSavedPlan } from '../journals/index.js';
import { approvalWord } from './approval.js';
import { badInput } from './bad-input.js';
import { composeFleet, refuseRollout } from './compose.js';
import { jsonDocument } from './json-document.js';
import type { FleetArguments } from './options.js';
import { GUARD, isFormat, OUT, OUTPUT_OF_PLAN, withFleetOptions } from './options.js';
import { print, say } from './outlet.js';
import { createPaint } from './paint.js';
import { withRolloutOptions } from './rollout-options.js';
import { startSession } from './run-stage.js';
import type { PlannedHost } from './show-plans.js';
import { showPlans } from './show-plans.js';
import { rolloutSentences, showRollout } from './show-rollout-plan.js';
import { systemClock } from './system-clock.js';
import { whoAmI } from './who.js';

type PlanArguments = FleetArguments & { guard?: 'none' | undefined; out?: string | undefined };

export const planCommand: CommandModule<object, PlanArguments> = {
  command: 'plan <playbook>',
  describe: 'dry run: show every change, reload and restart; changes nothing',
  builder: (yargs) => withRolloutOptions(withFleetOptions(yargs, OUTPUT_OF_PLAN)).option('guard', GUARD).option('out', OUT) as never,
  handler: async (args) => {
    process.exitCode = await plan(args);
  },
};

async function plan(args: PlanArguments): Promise<number> {
  const { output, file } = outputOf(args);
  const fleet = await composeFleet(args);
  refuseRollout(fleet.playbook, fleet.hosts);
  if (file !== undefined) await checkPlanPlace(file);
  const session = startSession(fleet, { output });
  try {
    const names = fleet.hosts.map((host) => host.name);
    const surveyed = await session.stage('plan', names, (emit) => planFleet(fleet.hosts, session.ports(emit)));
    const interrupted = session.interrupts.drain.aborted;
    const exitCode = surveyExitCode(surveyed.map(findingOf), interrupted);
    const content: PlanContent = { playbook: fleet.origin, inventory: fleet.inventory, connection: fleet.connection, hosts: surveyed };
    const digest = planDigest(content);
    if (output === 'text') {
      const paint = createPaint(process.stdout, process.env);
      await print(`${showPlans(surveyed.map(plannedHost), paint)}\n${showRollout(surveyed, fleet, paint)}\nplan ${digest}\n`);
    }
    if (output === 'json') {
      const document = { run: session.run, stage: 'plan', playbook: fleet.playbook.name, exitCode, digest, rollout: rolloutSentences(surveyed, fleet), hosts: surveyed.map(plannedHost) };
      await print(jsonDocument(document, { withBytes: false }));
    }
    if (file !== undefined) await save(file, content, interrupted);
    return exitCode;
  } finally {
    await session.close();
  }
}

async function save(file: string, content: PlanContent, interrupted: boolean): Promise<void> {
  if (interrupted) {
    say(`interrupted: no plan was saved in ${file}`);
    return;
  }
  const { digest } = await writeSavedPlan(file, { ...content, madeAt: systemClock.now().toISOString(), by: whoAmI() });
  say(`saved in ${file}; to do exactly this: fleetmend apply ${file} --approve ${approvalWord(digest)}`);
}

/** -o names a file, or, as with the other commands, a format. */
function outputOf({ out, output }: PlanArguments): { readonly output: FleetArguments['output']; readonly file?: string } {
  if (out === undefined) return { output };
  if (!isFormat(out)) {
    if (!/[./]/.test(out)) throw badInput(`-o: expected text, json, ndjson or a file such as rollout.plan (a name with a dot or a slash), got "${out}"`);
    return { output, file: out };
  }
  if (output !== 'text' && output !== out) throw badInput(`-o ${out} and --output ${output} say two formats`);
  return { output: out };
}

export function plannedHost({ host, value, failure }: Pick<Surveyed<HostPlan>, 'host' | 'value' | 'failure'>): PlannedHost {
  return { host: host.name, ...(value === undefined ? {} : { plan: value }), ...(failure === undefined ? {} : { failure }) };
}

function findingOf({ host, value, failure }: Surveyed<HostPlan>): SurveyResult {
  return failure === undefined ? { host: host.name, finding: value.finding } : { host: host.name, failure };
}
