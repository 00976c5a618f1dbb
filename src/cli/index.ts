/** The command line: global behaviour, the list of commands, and the one catch that turns a failure into words and an exit code. */
import { readFileSync } from 'node:fs';
import yargs, { type CommandModule } from 'yargs';
import { hideBin } from 'yargs/helpers';
import { cleanText } from '../core/clean-text.js';
import { describeFailure, failureOf } from '../core/failure.js';
import { EXIT } from '../core/report.js';
import { applyCommand } from './apply.js';
import { approveCommand } from './approve.js';
import { auditCommand } from './audit.js';
import { checkCommand } from './check.js';
import { cleanCommand } from './clean.js';
import { ctlCommand } from './ctl.js';
import { hostsCommand } from './hosts.js';
import { say, withOutlet } from './outlet.js';
import { planCommand } from './plan.js';
import { refuseNamedWords } from './refuse-named-words.js';
import { refuseRepeats } from './refuse-repeats.js';
import { resumeCommand } from './resume.js';
import { completeWords } from './run-completion.js';
import { runsCommand } from './runs.js';
import { showCommand } from './show.js';
import { sudoersCommand } from './sudoers.js';
import { undoCommand } from './undo.js';
import { unlockCommand } from './unlock.js';

const EXIT_CODES = `Exit codes: 0 all compliant or changed (undo: all that was asked is back); 1 usage or configuration, nothing touched;
2 some hosts failed, every one restored or never touched; 3 at least one host is stuck, or fleetmend failed by itself;
4 audit and plan: hosts that fail were found; 130 interrupted: go on with resume.`;

const COMMANDS: readonly CommandModule[] = [
  auditCommand, planCommand, approveCommand, applyCommand, resumeCommand, undoCommand, runsCommand, showCommand,
  ctlCommand, cleanCommand, unlockCommand, hostsCommand, checkCommand, sudoersCommand,
] as never[];

/** Runs one command line; sets process.exitCode and never exits by itself. */
export function runCommandLine(argv: readonly string[]): Promise<void> {
  return withOutlet(() => runCommand(argv));
}

async function runCommand(argv: readonly string[]): Promise<void> {
  // A reader of our output that went away (`| head`) must not end a run in the middle.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  try {
    await yargs([...argv])
      .scriptName('fleetmend')
      .usage('$0 COMMAND: find the Kubernetes nodes that break a control, mend them over SSH, prove it')
      .version(version())
      .command([...COMMANDS])
      .completion('completion', 'print a completion script for your shell', completeWords as never)
      .demandCommand(1, 'name a command')
      .recommendCommands()
      .strict()
      .parserConfiguration({ 'dot-notation': false })
      .check(refuseRepeats)
      .check(refuseNamedWords(argv, COMMANDS.map(({ command }) => String(command))))
      .wrap(Math.min(110, process.stdout.columns || 110))
      .epilogue(EXIT_CODES)
      .exitProcess(false)
      .fail((message: string | null, error: Error | undefined) => {
        throw error ?? new UsageError(message ?? 'bad usage');
      })
      .parseAsync();
  } catch (thrown) {
    process.exitCode = failureOf(thrown).kind === 'interrupted' ? EXIT.interrupted : EXIT.usage;
    say(errorText(thrown));
  }
}

/** What yargs says of a command line: shown as it is. */
class UsageError extends Error {}

function errorText(thrown: unknown): string {
  if (thrown instanceof UsageError || (thrown instanceof Error && thrown.name === 'YError')) {
    return `fleetmend: ${thrown.message}\nfleetmend: see fleetmend --help`;
  }
  const failure = failureOf(thrown);
  const lines = [`fleetmend: ${describeFailure(failure)}`, ...(failure.detail === undefined ? [] : [failure.detail])];
  return cleanText(lines.join('\n'));
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

export function commandLineArguments(): string[] {
  return hideBin(process.argv);
}
