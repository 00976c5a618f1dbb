/** Waits until an SSH server greets. Speaks no SSH itself. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves at the first `SSH-` banner; rejects after the deadline. `stillHopeful` throws when waiting has no sense any more. */
export async function waitForBanner(address: string, port: number, deadlineMs: number, stillHopeful: () => Promise<void>): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (Date.now() < end) {
    if (await greets(address, port, 2_000)) return;
    await stillHopeful();
    await sleep(100);
  }
  throw new Error(`${address}:${port}: no SSH banner within ${deadlineMs / 1000} s`);
}

/** One try. */
export async function greets(address: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const finish = (greeted: boolean): void => {
      socket.destroy();
      resolve(greeted);
    };
    socket.setTimeout(timeoutMs, () => finish(false));
    socket.once('data', (chunk: Buffer) => finish(chunk.toString('latin1').startsWith('SSH-')));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
  });
}
