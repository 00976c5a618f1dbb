/** The power of a fake node: what a cut takes away and what a boot brings back, and what falls due by its clock. Never loses a file. */
import { fireAtBoot, dueTimer, runTimer } from './fake-guard-firing.js';
import type { GuardParts } from './fake-guard.js';
import type { NodeTime } from './fake-node-time.js';

export interface PowerParts extends GuardParts {
  readonly time: NodeTime;
  /** Started at every boot; absent: not enabled. */
  readonly unit?: string;
  /** Called at the beginning of boot number `boots`. */
  readonly onBoot: (boots: number) => void;
}

export interface FakePower {
  /** How often the node has come up; `undefined` while the power is off. */
  life(): number | undefined;
  passTime(): void;
  cut(bootsAfterMs?: number): void;
  boot(): void;
}

/** From the power to the services. */
const BOOT_MS = 20_000;

export function createPower(parts: PowerParts): FakePower {
  const { time, systemd, unit } = parts;
  let boots = 1;
  let isOn = true;
  let bootsAtMs: number | undefined;
  const passTime = (): void => {
    if (bootsAtMs !== undefined && bootsAtMs <= time.clockMs()) time.at(bootsAtMs, comeUp);
    for (let timer = dueTimer(parts); timer !== undefined; timer = dueTimer(parts)) runAt(parts, timer);
  };
  const comeUp = (): void => {
    boots += 1;
    isOn = true;
    bootsAtMs = undefined;
    parts.onBoot(boots);
    time.start(BOOT_MS);
    // The manager has read the unit files before the first service runs.
    if (unit !== undefined) systemd.service(unit);
    fireAtBoot(parts);
    if (unit !== undefined) systemd.boot(unit);
  };
  const cut = (bootsAfterMs?: number): void => {
    passTime();
    isOn = false;
    bootsAtMs = bootsAfterMs === undefined ? undefined : time.clockMs() + bootsAfterMs;
    parts.timers.clear();
    parts.visits.claims.clear();
    systemd.forget();
  };
  return {
    life: () => (isOn ? boots : undefined),
    passTime,
    cut,
    boot: () => {
      if (isOn) cut();
      comeUp();
    },
  };
}

function runAt(parts: PowerParts, timer: Parameters<typeof runTimer>[1]): void {
  parts.time.at(parts.time.clockMsOf(timer.atMs), () => runTimer(parts, timer));
}
