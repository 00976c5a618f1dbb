/** The writing connection of one host: opened when needed, and again after a loss. Never more than one at a time. */
import type { Host } from '../core/host.js';
import type { Clock, Connector, WriteSession } from '../core/ports.js';
import type { Patience } from './reach.js';
import { reach } from './reach.js';

export interface LinePorts {
  readonly connector: Connector;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export class Line {
  private session: WriteSession | undefined;
  private gone = false;

  constructor(private readonly host: Host, private readonly ports: LinePorts) {}

  /** The open session, or a new one. After all patience was used up once, a single try must do. */
  async open(patience: Patience): Promise<WriteSession> {
    if (this.session !== undefined) return this.session;
    const { connector, clock, signal } = this.ports;
    const allowed = this.gone ? { ...patience, waitsMs: [] } : patience;
    try {
      this.session = await reach(this.host, () => connector.openToWrite(this.host, signal), allowed, clock, signal);
      this.gone = false;
      return this.session;
    } catch (thrown) {
      this.gone = true;
      throw thrown;
    }
  }

  /** False once all patience is used up: the host would only be waited for again and again. */
  canComeBack(): boolean {
    return !this.gone;
  }

  async drop(): Promise<void> {
    const session = this.session;
    this.session = undefined;
    await session?.close();
  }
}
