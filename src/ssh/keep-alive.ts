/**
 * Notices that a server has gone silent. In place of ssh2's own keepalive for connections that idle between uses: its timer would keep this
 * process alive, and it cannot be asked "are you there?" out of turn. Never keeps the process alive.
 */
import type { Link } from './link.js';

export interface KeepAlive {
  /** Asks now. False when nothing was heard in time; the link has ended then. */
  probe(timeoutMs: number): Promise<boolean>;
}

/**
 * `ping` calls back with the answer. One count less than ssh2 waits for the hosts behind: the server that fell silent is noticed before
 * those it carries. `intervalMs` 0: only probes.
 */
export function keepAlive(link: Link, ping: (answered: () => void) => void, rules: { readonly intervalMs: number; readonly countMax: number }): KeepAlive {
  const most = Math.max(1, rules.countMax - 1);
  let silent = 0;
  let heard = true;
  const giveUp = async (): Promise<void> => {
    // A server that carries this one and is silent itself ends it with its own reason.
    if ((await link.socket.probe?.()) !== false) link.end(link.explainLoss('no answer to keepalive messages'));
  };
  const look = (): void => {
    silent = heard ? 0 : silent + 1;
    heard = false;
    if (silent >= most) void giveUp();
    else ping(() => undefined);
  };
  link.socket.on('data', () => {
    heard = true;
  });
  const timer = rules.intervalMs > 0 ? setInterval(look, rules.intervalMs).unref() : undefined;
  link.whenEnded(() => clearInterval(timer));
  return {
    async probe(timeoutMs) {
      if (link.reason !== undefined) return false;
      return await new Promise<boolean>((resolve) => {
        const late = setTimeout(() => {
          void giveUp().then(() => resolve(false));
        }, timeoutMs);
        const settle = (answer: boolean): void => {
          clearTimeout(late);
          resolve(answer);
        };
        link.whenEnded(() => settle(false));
        ping(() => settle(true));
      });
    },
  };
}
