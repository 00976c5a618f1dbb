/** `fleetmend apply`: plan, ask, change, prove. Begins to write only on hosts that fail the audit, and only after a yes. */
import { resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import type { Digest } from '../core/bytes.js';
import { cleanText } from '../core/clean-text.js';
import { countHosts } from '../core/count-hosts.js';
import type { RunEvent } from '../core/journal.js';
import type { HostPlan } from '../core/plan.js';
import { planDigest } from '../core/plan-digest.js';
import { EXIT, applyExitCode } from '../core/report.js';
import type { RunRecord, ShownPlan } from '../core/run-record.js';
import { applyFleet } from '../engine/apply-fleet.js';
import type { Surveyed } from '../engine/survey-fleet.js';
import { createRunFolder } from '../journals/index.js';
import type { ApplyOptions, ApplySource } from './apply-source.js';
import { contentOf, openApplySource } from './apply-source.js';
import type { ApprovalChoices } from './approval.js';
import { APPROVE_OPTIONS, bindApproval, readApproval, yesNow } from './approval.js';
import { atEnd } from './at-end.js';
import { changeHosts } from './change-hosts.js';
import { badInput } from './bad-input.js';
import { confirm } from './confirm.js';
import { nextCommands } from './next-commands.js';
import { GUARD, YES, withApplyOptions } from './options.js';
import { print, say } from './outlet.js';
import { createPaint } from './paint.js';
import { plannedHost } from './plan.js';
import { resumeCommandLine } from './resume.js';
import { withRolloutOptions } from './rollout-options.js';
import { withRolloutPorts } from './rollout-ports.js';
import type { Session } from './run-stage.js';
import { startSession } from './run-stage.js';
import { showPlans } from './show-plans.js';
import { isSpentBefore, showRollout } from './show-rollout-plan.js';
import { runsRoot } from './state-directory.js';
import { systemClock } from './system-clock.js';
import { whoAmI } from './who.js';

type ApplyChoices = ApplyOptions & ApprovalChoices & { yes: boolean };

export const applyCommand: CommandModule<object, ApplyChoices> = {
  command: 'apply <source>',
  describe: 'mend the hosts that fail the audit; each ends changed and proved, or restored and proved, or named as stuck',
  builder: (yargs) =>
    withRolloutOptions(withApplyOptions(yargs))
      .option('rerun', { type: 'string', requiresArg: true, describe: 'run the hosts of a past run again that ended so: failed,skipped; with a fresh plan' })
      .option('yes', { ...YES, describe: 'do not ask before the first change' })
      .options(APPROVE_OPTIONS)
      .option('guard', GUARD)
      .example('$0 apply PLAYBOOK -i INVENTORY', 'plan, ask, change')
      .example('$0 apply rollout.plan --approve DIGEST', 'do exactly what was planned and approved')
      .example('$0 apply --rerun failed,skipped RUN', 'take exactly the rest of a past run') as never,
  handler: async (args) => {
    process.exitCode = await apply(args);
  },
};

async function apply(args: ApplyChoices): Promise<number> {
  if (args.approve === undefined && args.approvalFile === undefined) refuseSilentYes('apply shows the plan and asks', args);
  const given = await readApproval(args);
  const source = await openApplySource(args);
  // Before any host is reached: a yes to another plan is no yes, whatever else was said.
  if (source.saved !== undefined) bindApproval(given, source.saved.digest);
  for (const remark of source.remarks) say(`fleetmend: ${cleanText(remark)}`);
  const { fleet } = source;
  let begun = false;
  const session = startSession(fleet, { output: args.output, resume: (run) => (begun ? resumeCommandLine(run) : undefined) });
  try {
    const look = (emit: (event: RunEvent) => void): Promise<Surveyed<HostPlan>[]> => source.plan(session.ports(emit));
    const planned = source.looksAt.length === 0 ? await look(() => undefined) : await session.stage('plan', source.looksAt, look);
    const digest = source.saved?.digest ?? planDigest(contentOf(fleet, planned));
    let yes = bindApproval(given, digest);
    if (args.output === 'text') await print(planText(source, planned, digest));
    const toChange = planned.filter((surveyed) => surveyed.value !== undefined && surveyed.value.steps.length > 0).length;
    // Nothing would be begun: there is nothing to ask.
    if (toChange > 0 && yes === undefined && !args.yes && !isSpentBefore(planned, fleet)) {
      const answer = await confirm(`Change ${countHosts(toChange)}?`, session.interrupts.drain);
      if (answer !== 'yes') {
        say('nothing was changed');
        return answer === 'interrupted' ? EXIT.interrupted : EXIT.usage;
      }
      yes = yesNow(digest);
    }
    const plan: ShownPlan = { digest, ...(source.saved ? { file: resolve(args.source) } : {}), ...(yes ? { approvedBy: yes.by, approvedAt: yes.at } : {}) };
    return await change(planned, source, plan, session, () => { begun = true; });
  } finally {
    await atEnd(() => session.close());
  }
}

/** Without a terminal, and beside a document for programs, there is nobody to ask. */
export function refuseSilentYes(what: string, args: { yes: boolean; output: string }): void {
  if (args.yes || (process.stdin.isTTY && args.output === 'text')) return;
  throw badInput(`${what} for confirmation on a terminal; elsewhere, and with another --output than text, say --yes`);
}

function planText({ fleet }: ApplySource, planned: readonly Surveyed<HostPlan>[], digest: Digest): string {
  const paint = createPaint(process.stdout, process.env);
  return `${showPlans(planned.map(plannedHost), paint)}\n${showRollout(planned, fleet, paint)}\nplan ${digest}\n`;
}

async function change(planned: readonly Surveyed<HostPlan>[], { fleet }: ApplySource, plan: ShownPlan, session: Session, begin: () => void): Promise<number> {
  const { run } = session;
  const record: RunRecord = {
    run, plan, startedAt: systemClock.now().toISOString(), by: whoAmI(), playbook: fleet.origin, hosts: fleet.hosts, connection: fleet.connection,
  };
  const folder = await createRunFolder(runsRoot(), record, planned.flatMap(({ value }) => (value ? [value] : [])));
  const hold = await folder.hold(whoAmI(), systemClock.now());
  begin();
  try {
    return await changeHosts({
      stage: 'apply', session, journal: await folder.openJournal(), directory: folder.directory,
      names: planned.map(({ host }) => host.name),
      work: (ports) => withRolloutPorts(folder.directory, session, ports, (all) => applyFleet(planned, all)),
      exitCode: applyExitCode,
      next: (end) => nextCommands(run, end),
    });
  } finally {
    await atEnd(() => hold.release());
  }
}
