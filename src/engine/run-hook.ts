/** Runs one of the commands that a rollout names, with the facts of the moment, and turns its end into a failure or nothing. */
import { commandWords } from '../core/command-words.js';
import type { Failure } from '../core/failure.js';
import type { CommandRunner } from '../core/ports.js';
import type { CommandSpec, HookName } from '../core/rollout.js';
import { forPeople } from '../core/duration-text.js';

export interface HookPorts {
  readonly run: string;
  readonly playbook: { readonly name: string };
  readonly commands: CommandRunner;
  /** Stop now. */
  readonly signal: AbortSignal;
}

/** Undefined when the command ended with 0, or when there is none. One that was stopped with the run says nothing: `interrupted`. */
export async function runHook(hook: HookName | 'gate', command: CommandSpec | undefined, facts: object, ports: HookPorts): Promise<Failure | undefined> {
  if (command === undefined) return undefined;
  const { code, output } = await ports.commands.run(command, { fleetmend: 1, hook, run: ports.run, playbook: ports.playbook.name, ...facts }, ports.signal);
  if (code === 0) return undefined;
  return {
    kind: code === 'stopped' ? 'interrupted' : 'hook',
    summary: `${hook} (${commandWords(command.run)}) ${endText(code, command)}`,
    ...(output === '' ? {} : { detail: output }),
  };
}

function endText(code: 'timeout' | 'notStarted' | 'stopped' | number, { timeoutMs }: CommandSpec): string {
  switch (code) {
    case 'timeout':
      return `did not end within ${forPeople(timeoutMs)}`;
    case 'notStarted':
      return 'could not be started';
    case 'stopped':
      return 'was stopped with the run';
    default:
      return `ended with exit code ${code}`;
  }
}
