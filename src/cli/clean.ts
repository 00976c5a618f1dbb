/** `fleetmend clean`: removes a run's saved copies from its nodes. After that the run cannot be undone. */
import type { CommandModule } from 'yargs';
import { cleanLine } from '../core/clean-text.js';
import { countHosts } from '../core/count-hosts.js';
import { describeFailure } from '../core/failure.js';
import { foldNames } from '../core/fold-names.js';
import { EXIT } from '../core/report.js';
import type { Cleaned } from '../engine/clean-fleet.js';
import { cleanFleet, hostsToClean } from '../engine/clean-fleet.js';
import { refuseSilentYes } from './apply.js';
import { atEnd } from './at-end.js';
import { confirm } from './confirm.js';
import { jsonDocument } from './json-document.js';
import type { RunArguments } from './options.js';
import { YES, withRunOptions } from './options.js';
import { openPastRun } from './past-run.js';
import { print } from './outlet.js';
import { startSession } from './run-stage.js';
import { newHolder } from './who.js';

type CleanArguments = RunArguments & { yes: boolean };

export const cleanCommand: CommandModule<object, CleanArguments> = {
  command: 'clean <run>',
  describe: "remove a run's saved copies from its nodes: after that there is no undo of it",
  builder: (yargs) => withRunOptions(yargs).option('yes', { ...YES, describe: 'do not ask' }) as never,
  handler: async (args) => {
    process.exitCode = await clean(args);
  },
};

async function clean(args: CleanArguments): Promise<number> {
  refuseSilentYes('clean asks', args);
  const open = await openPastRun(args, { reaches: (past) => ({ due: hostsToClean(past).map(({ name }) => name) }) });
  const session = startSession(open.fleet, { output: args.output, run: open.run, resume: (run) => `fleetmend clean ${run}` });
  try {
    const hosts = hostsToClean(open.past);
    if (hosts.length > 0 && !args.yes) {
      const question = `Remove the saved copies of run ${open.run} from ${countHosts(hosts.length)}? It cannot be undone after that.`;
      const answer = await confirm(question, session.interrupts.drain);
      if (answer !== 'yes') return answer === 'interrupted' ? EXIT.interrupted : EXIT.usage;
    }
    const names = hosts.map((host) => host.name);
    const results = await session.stage('clean', names, (emit) =>
      cleanFleet(open.past, hosts, { ...session.ports(emit), journal: open.journal, holder: newHolder(open.run) }));
    const exitCode = session.interrupts.drain.aborted ? EXIT.interrupted : results.some(({ failure }) => failure) ? EXIT.failed : EXIT.fine;
    await print(args.output === 'json' ? jsonDocument({ run: open.run, stage: 'clean', exitCode, hosts: results }, { withBytes: false }) : showCleaned(results));
    return exitCode;
  } finally {
    await atEnd(() => session.close(), () => open.journal.close(), () => open.release());
  }
}

function showCleaned(results: readonly Cleaned[]): string {
  const clean = results.filter(({ failure }) => failure === undefined).map(({ host }) => host);
  const lines = results.flatMap(({ host, failure }) => (failure ? [`  ${host} not cleaned: ${cleanLine(describeFailure(failure))}`] : []));
  return `${[`cleaned ${clean.length} of ${countHosts(results.length)}${clean.length > 0 ? `: ${cleanLine(foldNames(clean))}` : ''}`, ...lines].join('\n')}\n`;
}
