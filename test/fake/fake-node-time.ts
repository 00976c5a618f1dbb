/**
 * What time a fake node takes it to be: its own monotonic clock, which a boot sets back, and the wall clock. It can be
 * held at a moment that has passed, for what was due then. Never looks at the real time.
 */

/** The only source of time: `src/core/ports.ts` Clock fits. */
export interface NodeClock {
  now(): Date;
  monotonicMs(): number;
}

export interface NodeTime {
  /** Since the node came up. */
  readonly monotonicMs: () => number;
  readonly nowSeconds: () => number;
  /** Of the injected clock. */
  readonly clockMs: () => number;
  /** What the injected clock shows when this node's own shows `monotonicMs`. */
  readonly clockMsOf: (monotonicMs: number) => number;
  /** The node's monotonic clock shows this now and runs from here. */
  readonly start: (monotonicMs: number) => void;
  /** The injected clock stands at `clockMs` while this acts. */
  readonly at: (clockMs: number, act: () => void) => void;
}

/** Before the first `start` a node is in the middle of its boot, and its time stands still. */
export function createNodeTime(clock: NodeClock): NodeTime {
  let heldMs: number | undefined;
  let base: { readonly clockMs: number; readonly monotonicMs: number } | undefined;
  const clockMs = (): number => heldMs ?? clock.monotonicMs();
  return {
    clockMs,
    monotonicMs: () => (base === undefined ? BOOTING_MS : base.monotonicMs + clockMs() - base.clockMs),
    nowSeconds: () => (clock.now().getTime() - (heldMs === undefined ? 0 : clock.monotonicMs() - heldMs)) / 1000,
    clockMsOf: (monotonicMs) => (base === undefined ? clockMs() : base.clockMs + monotonicMs - base.monotonicMs),
    start: (monotonicMs) => {
      base = { clockMs: clockMs(), monotonicMs };
    },
    at: (moment, act) => {
      const outer = heldMs;
      heldMs = moment;
      try {
        act();
      } finally {
        heldMs = outer;
      }
    },
  };
}

const BOOTING_MS = 20_000;
