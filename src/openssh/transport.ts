/**
 * The Transport over the system's own `ssh` program: one process per opening, never shared, never retried. A jump host of the inventory that
 * refused the login is not asked again for the other hosts behind it: it counts failures.
 */
import { setMaxListeners } from 'node:events';
import { FleetmendError, ofTarget } from '../core/failure.js';
import type { Failure } from '../core/failure.js';
import type { ShellStream, Transport } from '../core/ports.js';
import { targetOf } from './explain-end.js';
import { jumpsOf } from './jump-command.js';
import { createLogPipes } from './log-pipes.js';
import type { OpenSshOptions } from './options.js';
import { openShell } from './shell-stream.js';
import { findNewerOptions } from './newer-options.js';
import { sshArguments } from './ssh-arguments.js';
import { startSsh } from './ssh-process.js';

/** Secrets are not used: `ssh` runs with BatchMode and asks nobody. Rejects with FleetmendError. */
export function createOpenSshTransport(options: OpenSshOptions): Transport {
  const pipes = createLogPipes();
  const program = options.program ?? 'ssh';
  const times = {
    openMs: options.openTimeoutMs ?? 60_000, idleMs: options.idleTimeoutMs ?? 300_000,
    exitGraceMs: options.exitGraceMs ?? 3_000, closeGraceMs: options.closeGraceMs ?? 1_000,
  };
  const refusals = new Map<string, Failure>();
  let asked: Promise<readonly string[]> | undefined;
  const newerOptions = async (): Promise<readonly string[]> => {
    try {
      return await (asked ??= findNewerOptions(program, options.environment));
    } catch (error) {
      asked = undefined;
      throw error;
    }
  };
  return {
    async open(host, command, signal, terminal): Promise<ShellStream> {
      // One signal may serve a whole fleet; each connection takes its listener away again.
      setMaxListeners(0, signal);
      const way = JSON.stringify([host.ssh?.proxyJump ?? 'none', host.ssh?.jumpHosts, host.ssh?.config, host.ssh?.legacyJumps]);
      const refused = refusals.get(way);
      if (refused) throw new FleetmendError(refused);
      const choices = { ...options, newer: await newerOptions() };
      const opened = openShell({
        host, times, signal, openLog: (onLine) => pipes.open(onLine),
        onRefusedOnTheWay: (failure) => { if (jumpsOf(host).length > 0) refusals.set(way, failure); },
        start: (logFile) => startSsh(program, sshArguments(host, command, logFile, choices, terminal), options.environment),
      });
      return await opened.catch((error: unknown) => { throw ofTarget(error, targetOf(host)); });
    },
  };
}
