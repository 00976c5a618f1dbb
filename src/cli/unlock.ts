/** `fleetmend unlock`: shows who holds which node, and breaks those locks after a yes. Changes nothing else on a node. */
import type { CommandModule } from 'yargs';
import { cleanLine } from '../core/clean-text.js';
import type { Failure } from '../core/failure.js';
import { describeFailure } from '../core/failure.js';
import { describeLock } from '../core/lock.js';
import { EXIT } from '../core/report.js';
import type { Locked } from '../engine/break-locks.js';
import { breakLocks, lookAtLocks } from '../engine/break-locks.js';
import { refuseSilentYes } from './apply.js';
import { chooseConnection, loadInventory } from './compose.js';
import { composeConnector } from './compose-connector.js';
import { confirm } from './confirm.js';
import { listenForInterrupts } from './interrupts.js';
import type { JsonDocument } from './json-document.js';
import { jsonDocument } from './json-document.js';
import type { UnlockArguments } from './options.js';
import { YES, withUnlockOptions } from './options.js';
import { print, say } from './outlet.js';
import { systemClock } from './system-clock.js';

type Arguments = UnlockArguments & { yes: boolean };

export const unlockCommand: CommandModule<object, Arguments> = {
  command: 'unlock',
  describe: 'show who holds which node, and break those locks after a yes',
  builder: (yargs) => withUnlockOptions(yargs).option('yes', { ...YES, describe: 'do not ask' }) as never,
  handler: async (args) => {
    process.exitCode = await unlock(args);
  },
};

async function unlock(args: Arguments): Promise<number> {
  refuseSilentYes('unlock shows the locks and asks', args);
  const connection = chooseConnection(args);
  const { concurrency } = connection;
  const { hosts, all } = await loadInventory(args.inventory, args.limit, args);
  const connector = await composeConnector(hosts, connection, { all, verbose: args.verbose });
  const interrupts = listenForInterrupts(say);
  const ports = { connector, clock: systemClock, concurrency, signal: interrupts.stop };
  try {
    const seen = await lookAtLocks(hosts, ports);
    const held = seen.filter((one) => one.lock?.held === true);
    if (args.output === 'text') await print(seen.map(lineOf).join(''));
    if (held.length > 0 && !args.yes) {
      const answer = await confirm(`Break ${held.length} ${held.length === 1 ? 'lock' : 'locks'}? Whoever holds one can then no longer change that node; a guard that is armed still puts the old state back.`, interrupts.drain);
      if (answer !== 'yes') return answer === 'interrupted' ? EXIT.interrupted : EXIT.usage;
    }
    const broken = await breakLocks(held, ports);
    const failures = broken.flatMap(({ host, failure }) => (failure ? [{ host: host.name, failure }] : []));
    const exitCode = failures.length > 0 || seen.some((one) => one.failure) ? EXIT.failed : EXIT.fine;
    await print(args.output === 'json' ? document(seen, failures, exitCode) : summary(held.length, failures));
    return exitCode;
  } finally {
    interrupts.dispose();
  }
}

function lineOf({ host, lock, failure }: Locked): string {
  if (failure !== undefined) return `${host.name}  no answer: ${cleanLine(describeFailure(failure))}\n`;
  const armed = lock.armed === undefined ? '' : `; the guard of run ${lock.armed} is armed`;
  return `${host.name}  ${cleanLine(lock.held ? describeLock(lock) : 'free')}${cleanLine(armed)}\n`;
}

function summary(held: number, failures: readonly { host: string; failure: Failure }[]): string {
  const lines = failures.map(({ host, failure }) => `  ${host} not unlocked: ${cleanLine(describeFailure(failure))}`);
  return `${[`${held - failures.length} of ${held} locks broken`, ...lines].join('\n')}\n`;
}

function document(seen: readonly Locked[], failures: readonly { host: string; failure: Failure }[], exitCode: number): JsonDocument {
  const hosts = seen.map(({ host, lock, failure }) => ({
    host: host.name, lock, failure, broken: lock?.held === true && !failures.some((one) => one.host === host.name),
  }));
  return jsonDocument({ stage: 'unlock', exitCode, hosts }, { withBytes: false });
}
