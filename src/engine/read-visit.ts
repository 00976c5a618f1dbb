/** A reading visit from its connection to its end, once more from its beginning where a jump host took it with it. */
import type { Host } from '../core/host.js';
import type { Connector, ReadSession } from '../core/ports.js';
import { onceMore } from './once-more.js';
import type { Waits } from './reach.js';
import { FIRST_CONTACT, reach } from './reach.js';

export interface ReadVisitPorts extends Waits {
  readonly connector: Connector;
}

/** `work` may be called twice, each time with a new session. Rejects with FleetmendError. */
export async function readVisit<T>(host: Host, ports: ReadVisitPorts, work: (session: ReadSession) => Promise<T>): Promise<T> {
  return await onceMore({
    open: () => reach(host, () => ports.connector.openToRead(host, ports.signal), FIRST_CONTACT, ports),
    work: async (session) => {
      try {
        return await work(session);
      } finally {
        await session.close();
      }
    },
    close: () => Promise.resolve(),
  }, ports);
}
