/** What a rollout needs beside its hosts: commands on this machine, and people at this terminal and at others. Decides nothing. */
import type { RunEvent } from '../core/journal.js';
import type { CommandRunner } from '../core/ports.js';
import { redactValue } from '../core/redact-value.js';
import { createCommandRunner } from '../commands/run-command.js';
import type { ApplyPorts } from '../engine/fleet-work.js';
import type { FleetPorts } from '../engine/host-end.js';
import { createControlInbox } from '../journals/index.js';
import type { Keyboard } from './keyboard.js';
import { createKeyboard } from './keyboard.js';
import { mergeControls } from './merge-controls.js';
import { secretsToHide } from './outlet.js';
import type { Session } from './run-stage.js';
import { systemClock } from './system-clock.js';

/** `directory`: of the run, which this process holds. */
export async function withRolloutPorts<T>(directory: string, session: Session, ports: FleetPorts, work: (ports: ApplyPorts) => Promise<T>): Promise<T> {
  const inbox = createControlInbox(directory);
  if (inbox.remark !== undefined) session.say(`fleetmend: ${inbox.remark}`);
  const keyboard = session.output === 'text' ? keyboardOf(session, ports) : undefined;
  const emit = (event: RunEvent): void => {
    keyboard?.on(event);
    ports.emit(event);
  };
  try {
    const controls = keyboard === undefined ? inbox : mergeControls(keyboard, inbox);
    return await work({ ...ports, emit, policy: session.fleet.playbook.rollout, controls, commands: discreetRunner() });
  } finally {
    keyboard?.close();
    await inbox.close();
  }
}

/** What hooks and gates are told leaves this program, so its secrets stay behind: all that are known by then. */
function discreetRunner(): CommandRunner {
  const runner = createCommandRunner();
  return { run: (command, facts, signal) => runner.run(command, redactValue(facts, secretsToHide()), signal) };
}

function keyboardOf({ run }: Session, { emit, holder }: FleetPorts): Keyboard {
  const prompt = (text: string): void => { emit({ event: 'prompt', run, text, at: systemClock.now().toISOString() }); };
  return createKeyboard({ by: holder.who, prompt });
}
