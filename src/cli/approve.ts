/** `fleetmend approve FILE.plan`: shows a saved plan, asks, and writes down the yes, bound to this plan alone. Reaches for no host. */
import type { CommandModule } from 'yargs';
import { EXIT } from '../core/report.js';
import { bindApproval, readApproval, writeApproval, yesNow } from './approval.js';
import { badInput } from './bad-input.js';
import { confirm } from './confirm.js';
import { print, say } from './outlet.js';
import { openSavedPlan, tellSavedPlan } from './show-saved-plan.js';

interface ApproveArguments {
  plan: string;
  approval?: string;
  approve?: string;
}

export const approveCommand: CommandModule<object, ApproveArguments> = {
  command: 'approve <plan>',
  describe: 'look at a saved plan and say yes to it: writes an approval that fits this plan alone',
  builder: (yargs) =>
    yargs
      .positional('plan', { type: 'string', demandOption: true, describe: 'plan file of `fleetmend plan -o FILE.plan`' })
      .option('approval', { type: 'string', requiresArg: true, describe: 'file to write, for `apply --approval-file` (default: the plan\'s name with .approval)' })
      .option('approve', { type: 'string', requiresArg: true, describe: 'the digest of the plan, instead of the question' }) as never,
  handler: async (args) => {
    process.exitCode = await approve(args);
  },
};

async function approve(args: ApproveArguments): Promise<number> {
  if (args.approve === undefined && !process.stdin.isTTY) throw badInput('approve shows the plan and asks on a terminal; elsewhere say --approve DIGEST');
  const given = await readApproval({ approve: args.approve });
  const file = args.approval ?? `${args.plan.replace(/\.plan$/, '')}.approval`;
  const plan = await openSavedPlan(args.plan);
  const { digest } = plan.saved;
  bindApproval(given, digest);
  await print(tellSavedPlan(plan));
  if (args.approve === undefined) {
    const answer = await confirm(`Approve the plan ${digest.slice(0, 12)}?`, new AbortController().signal);
    if (answer !== 'yes') {
      say('not approved');
      return answer === 'interrupted' ? EXIT.interrupted : EXIT.usage;
    }
  }
  await writeApproval(file, yesNow(digest));
  say(`approved in ${file}; to do exactly this: fleetmend apply ${args.plan} --approval-file ${file}`);
  return EXIT.fine;
}
