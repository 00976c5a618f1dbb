/** `fleetmend ctl`: asks the process that works on a run for something, or tells where its rollout stands. Touches no host by itself. */
import type { CommandModule } from 'yargs';
import { FleetmendError } from '../core/failure.js';
import { quoteText, suggestWord } from '../core/input-error.js';
import { EXIT } from '../core/report.js';
import type { ControlAct } from '../core/rollout.js';
import { actText } from '../core/run-text.js';
import type { ControlReply, RunFolder, RunHolder } from '../journals/index.js';
import { ANSWER_WITHIN_MS, findRun, openRunFolder, requestControl } from '../journals/index.js';
import { refuseSilentYes } from './apply.js';
import { confirm } from './confirm.js';
import { CONTROL_WORDS, parseControl } from './control-words.js';
import { jsonDocument } from './json-document.js';
import { learnPlaybook } from './learn-playbook.js';
import { YES } from './options.js';
import { print, say } from './outlet.js';
import { tellStatus } from './run-status.js';
import { runsRoot } from './state-directory.js';
import { systemClock } from './system-clock.js';
import { whoAmI } from './who.js';

interface ControlArguments {
  run: string;
  act: string;
  what?: string;
  yes: boolean;
  output: 'text' | 'json';
}

export const ctlCommand: CommandModule<object, ControlArguments> = {
  command: 'ctl <run> <act> [what]',
  describe: 'steer a rollout from another terminal: pause, continue, within N, skip HOST, stop, undo [wave|run], status',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'name of a run, or the start of it' })
      .positional('act', { type: 'string', demandOption: true, describe: `${CONTROL_WORDS.join(', ')}; status reads the journal and needs no living process` })
      .positional('what', { type: 'string', describe: 'within: how many hosts at once; skip: the host; undo: wave (default) or run' })
      .option('yes', { ...YES, describe: 'do not ask before an undo' })
      .option('output', { alias: 'o', choices: ['text', 'json'] as const, default: 'text' as const, describe: 'text for people, or one JSON document' }) as never,
  handler: async (args) => {
    process.exitCode = await control(args);
  },
};

async function control(args: ControlArguments): Promise<number> {
  const act = parseControl(args.act, args.what);
  const root = runsRoot();
  const folder = await openRunFolder(root, await findRun(root, args.run));
  learnPlaybook(folder.record.playbook, 'this run');
  if (act === 'status') {
    await print(await tellStatus(folder, args.output));
    return EXIT.fine;
  }
  const holder = await requireHolder(folder);
  checkHost(folder, act);
  if (act.do === 'undo' && !args.yes) {
    refuseSilentYes('an undo asks', args);
    const whose = act.scope === 'wave' ? 'the hosts changed by the wave that is under way' : 'all hosts changed by this run';
    const answer = await confirm(`Stop the rollout of ${folder.record.run} and bring back ${whose}?`, new AbortController().signal);
    if (answer !== 'yes') {
      say('nothing was asked of the rollout');
      return answer === 'interrupted' ? EXIT.interrupted : EXIT.usage;
    }
  }
  const isServed = async (): Promise<boolean> => (await folder.holder()) !== undefined;
  const reply = await requestControl(folder.directory, whoAmI(), act, systemClock.now(), { isServed });
  const said = await words(reply, act, holder, folder);
  if (args.output === 'json') await print(jsonDocument({ run: folder.record.run, act, ...reply, text: said.text }, { withBytes: false }));
  else if (said.exitCode === EXIT.fine) await print(`${said.text}\n`);
  else say(`fleetmend: ${said.text}`);
  return said.exitCode;
}

async function requireHolder(folder: RunFolder): Promise<RunHolder> {
  const holder = await folder.holder();
  if (holder !== undefined) return holder;
  const { run } = folder.record;
  throw new FleetmendError({
    kind: 'badInput', summary: `no process of this machine works on run ${run}`, done: 'nothing was asked',
    next: `fleetmend ctl ${run} status says where it stands; fleetmend resume ${run} goes on with it; a process on another machine is steered there`,
  });
}

/** Said here already, with the nearest name; whether it was begun only the rollout knows. */
function checkHost(folder: RunFolder, act: ControlAct): void {
  const { run, hosts } = folder.record;
  const names = hosts.map(({ name }) => name);
  if (act.do !== 'skip' || names.includes(act.host)) return;
  throw new FleetmendError({ kind: 'badInput', summary: `run ${run} has no host ${quoteText(act.host)}${suggestWord(act.host, names)}`, next: `fleetmend show ${run} lists its hosts` });
}

async function words(reply: ControlReply, act: ControlAct, holder: RunHolder, folder: RunFolder): Promise<{ text: string; exitCode: number }> {
  const asked = actText(act);
  const isGone = (await folder.holder()) === undefined;
  switch (reply.how) {
    case 'answered':
      return reply.accepted ? { text: reply.text, exitCode: EXIT.fine } : { text: `${asked}: refused: ${reply.text}`, exitCode: EXIT.usage };
    case 'deaf':
      return { text: `${asked}: process ${holder.pid} takes no requests${isGone ? ' any more' : ''}; nothing was asked`, exitCode: EXIT.usage };
    case 'withdrawn':
      return {
        text: `${asked}: process ${holder.pid} ${isGone ? 'has ended and took nothing any more' : `did not take it within ${ANSWER_WITHIN_MS / 1000} s`}; it is withdrawn and will not be carried out`,
        exitCode: EXIT.usage,
      };
    case 'unknown':
      return {
        text: `${asked}: process ${holder.pid} took it and ${isGone ? 'ended without an answer' : `gave no answer within ${ANSWER_WITHIN_MS / 1000} s`}; it may have been carried out: fleetmend ctl ${folder.record.run} status`,
        exitCode: EXIT.failed,
      };
  }
}
