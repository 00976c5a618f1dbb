/**
 * A fake service manager: loaded units versus the disk, one main process per service of Type=simple,
 * automatic restarts and the start limit, over an injected clock (kubelet.md 4.6). It never waits: what
 * is due by the clock happens when `settle` is called, and every entry point calls it first.
 */
import { digestOf } from '../../src/core/bytes.js';
import type { FakeFiles } from './fake-files.js';
import { loadUnit, needsReload, type LoadedUnit } from './fake-unit-files.js';

/** What a started command line turns out to be. */
export type Spawned =
  | { readonly runs: false; readonly status: number; readonly log: string }
  | { readonly runs: true; readonly endsAfterMs?: number; readonly status: number; readonly log: string; readonly healthz?: Healthz };

export interface Healthz {
  readonly host: string;
  readonly port: number;
  readonly ok: boolean;
}

export interface FakeProcess {
  readonly pid: number;
  readonly unit: string;
  readonly argv: readonly string[];
  readonly exe: string;
  readonly cwd: string;
  /** Monotonic. */
  readonly startedAtMs: number;
  readonly endsAtMs?: number;
  readonly status: number;
  readonly healthz?: Healthz;
}

export interface Service {
  loaded: LoadedUnit;
  activeState: 'active' | 'inactive' | 'failed' | 'activating';
  subState: 'running' | 'dead' | 'failed' | 'auto-restart';
  result: string;
  execMainStatus: number;
  mainPid: number;
  restarts: number;
  invocationId: string;
  process?: FakeProcess;
  restartAtMs?: number;
  limitBeginMs: number;
  limitCount: number;
  log: string[];
}

/** As `systemctl` returns: exit status and what it prints on stderr. */
export interface CommandResult {
  readonly exit: number;
  readonly text: string;
}

export interface FakeSystemdParts {
  readonly name: string;
  readonly files: FakeFiles;
  readonly monotonicMs: () => number;
  /** The command line systemd would start from this snapshot, or why it would not. */
  readonly predict: (loaded: LoadedUnit) => { readonly argv: readonly string[] } | { readonly wouldNotStart: string };
  /** What that command line does once it runs. */
  readonly spawn: (argv: readonly string[], cwd: string) => Spawned;
  readonly firstPid?: number;
}

const OK: CommandResult = { exit: 0, text: '' };

export class FakeSystemd {
  private readonly services = new Map<string, Service>();
  private lastPid: number;
  private invocations = 0;
  /** No transient timer can be made. */
  refusesTimers = false;
  /** Counted for assertions such as "was never restarted". */
  readonly counts = { daemonReload: 0, restart: 0, resetFailed: 0 };

  constructor(private readonly parts: FakeSystemdParts) {
    this.lastPid = parts.firstPid ?? 800;
  }

  /** The unit as this manager knows it; a unit that nobody asked for yet is loaded from disk, as systemd does. */
  service(unit: string): Service {
    const known = this.services.get(unit);
    if (known !== undefined && known.loaded.loadState !== 'not-found') return known;
    const service: Service = {
      loaded: loadUnit(this.parts.files, unit),
      activeState: 'inactive', subState: 'dead', result: 'success', execMainStatus: 0, mainPid: 0, restarts: 0, invocationId: '',
      limitBeginMs: Number.NEGATIVE_INFINITY, limitCount: 0, log: [],
    };
    this.services.set(unit, service);
    return service;
  }

  needsDaemonReload(unit: string): boolean {
    return needsReload(this.parts.files, this.service(unit).loaded);
  }

  daemonReload(): CommandResult {
    this.settle();
    this.counts.daemonReload += 1;
    for (const service of this.services.values()) service.loaded = loadUnit(this.parts.files, service.loaded.unit);
    return OK;
  }

  resetFailed(unit: string): CommandResult {
    this.settle();
    this.counts.resetFailed += 1;
    const service = this.service(unit);
    if (service.loaded.loadState === 'not-found') return { exit: 1, text: `Failed to reset failed state of unit ${unit}: Unit ${unit} not loaded.` };
    if (service.activeState === 'failed') this.toRest(service, 'inactive', 'success');
    service.limitBeginMs = Number.NEGATIVE_INFINITY;
    service.limitCount = 0;
    service.restarts = 0;
    return OK;
  }

  restart(unit: string): CommandResult {
    this.settle();
    this.counts.restart += 1;
    const service = this.service(unit);
    if (service.loaded.loadState === 'not-found') return { exit: 5, text: `Failed to restart ${unit}: Unit ${unit} not found.` };
    if (service.loaded.loadState === 'masked') return { exit: 1, text: `Failed to restart ${unit}: Unit ${unit} is masked.` };
    if (service.process !== undefined || service.restartAtMs !== undefined) this.toRest(service, 'inactive', 'success');
    service.restarts = 0;
    const along = this.dependants(unit).filter((other) => this.service(other).process !== undefined);
    const result = this.start(service, this.parts.monotonicMs());
    this.settle();
    for (const other of along) this.takeAlong(other);
    return result;
  }

  /** Loaded units that say one of `keys` of this unit: those that its restart goes on to. */
  dependants(unit: string, keys: readonly string[] = PASSED_ON): string[] {
    return [...this.services.values()]
      .filter(({ loaded }) => keys.some((key) => loaded.settings(`Unit.${key}`).some((value) => value.split(/\s+/).includes(unit))))
      .map(({ loaded }) => loaded.unit)
      .sort();
  }

  /** try-restart: not counted, as nobody asked for it by name. */
  private takeAlong(unit: string): void {
    this.restart(unit);
    this.counts.restart -= 1;
  }

  /** Every process is gone, and nothing is loaded any more. */
  forget(): void {
    this.services.clear();
  }

  /** As at boot: not counted. */
  boot(unit: string): void {
    this.start(this.service(unit), this.parts.monotonicMs());
    this.settle();
  }

  stop(unit: string): CommandResult {
    this.settle();
    this.toRest(this.service(unit), 'inactive', 'success');
    return OK;
  }

  /** Lets everything happen that is due by now, in order of time. */
  settle(): void {
    const now = this.parts.monotonicMs();
    for (;;) {
      const due = [...this.services.values()]
        .map((service) => ({ service, at: service.process?.endsAtMs ?? service.restartAtMs ?? Number.POSITIVE_INFINITY }))
        .filter((event) => event.at <= now)
        .sort((a, b) => a.at - b.at)[0];
      if (due === undefined) return;
      if (due.service.process !== undefined) this.onExit(due.service, due.service.process, due.at);
      else this.onAutoRestart(due.service, due.at);
    }
  }

  processes(): FakeProcess[] {
    this.settle();
    return [...this.services.values()].flatMap((service) => service.process ?? []);
  }

  nextPid(): number {
    this.lastPid += 1;
    return this.lastPid;
  }

  private start(service: Service, at: number): CommandResult {
    const { unit } = service.loaded;
    if (this.isOverLimit(service, at)) {
      this.toRest(service, 'failed', 'start-limit-hit');
      service.log.push(`${unit}: Start request repeated too quickly.`);
      return { exit: 1, text: `Job for ${unit} failed because start of the service was attempted too often.` };
    }
    const missing = service.loaded.environmentFiles.find((line) => !line.mayBeMissing && this.parts.files.read(line.path) === undefined);
    const planned = this.parts.predict(service.loaded);
    if (missing !== undefined || 'wouldNotStart' in planned) {
      this.toRest(service, 'failed', 'resources');
      service.log.push(missing === undefined && 'wouldNotStart' in planned ? planned.wouldNotStart : `Failed to load environment files: ${missing?.path ?? ''}`);
      return { exit: 1, text: `Job for ${unit} failed because of unavailable resources or another system error.` };
    }
    this.invocations += 1;
    service.invocationId = digestOf(Buffer.from(`${this.parts.name}:${this.invocations}`)).slice(0, 32);
    this.run(service, planned.argv, at);
    return OK;
  }

  private run(service: Service, argv: readonly string[], at: number): void {
    const exe = argv[0] ?? '';
    const cwd = service.loaded.setting('Service.WorkingDirectory') ?? '/';
    const found = this.parts.files.stat(exe)?.kind === 'file';
    const spawned: Spawned = found ? this.parts.spawn(argv, cwd) : { runs: false, status: 203, log: `Failed at step EXEC spawning ${exe}` };
    const endsAfterMs = spawned.runs ? spawned.endsAfterMs : found ? START_UP_MS : 0;
    service.log.push(spawned.log);
    service.mainPid = this.nextPid();
    service.process = {
      pid: service.mainPid, unit: service.loaded.unit, argv, exe: this.parts.files.realPath(exe) ?? exe, cwd, startedAtMs: at, status: spawned.status,
      ...(endsAfterMs === undefined ? {} : { endsAtMs: at + endsAfterMs }),
      ...(spawned.runs && spawned.healthz !== undefined ? { healthz: spawned.healthz } : {}),
    };
    delete service.restartAtMs;
    service.activeState = 'active';
    service.subState = 'running';
    service.result = 'success';
    service.execMainStatus = 0;
  }

  private onExit(service: Service, process: FakeProcess, at: number): void {
    const restart = service.loaded.setting('Service.Restart') ?? 'no';
    const failed = process.status !== 0;
    service.log.push(`${service.loaded.unit}: Main process exited, code=exited, status=${process.status}`);
    this.toRest(service, failed ? 'failed' : 'inactive', failed ? 'exit-code' : 'success');
    service.execMainStatus = process.status;
    if (restart !== 'always' && !(failed && restart === 'on-failure')) return;
    service.activeState = 'activating';
    service.subState = 'auto-restart';
    service.restartAtMs = at + spanMs(service.loaded.setting('Service.RestartSec') ?? '100ms');
  }

  private onAutoRestart(service: Service, at: number): void {
    service.restarts += 1;
    this.start(service, at);
  }

  private toRest(service: Service, state: 'inactive' | 'failed', result: string): void {
    delete service.process;
    delete service.restartAtMs;
    service.mainPid = 0;
    service.activeState = state;
    service.subState = state === 'failed' ? 'failed' : 'dead';
    service.result = result;
  }

  /** systemd's rate limit: a fixed window that begins with the first start in it; manual starts count too. */
  private isOverLimit(service: Service, at: number): boolean {
    const { intervalMs, burst } = startLimit(service.loaded);
    if (intervalMs <= 0 || burst <= 0) return false;
    if (at > service.limitBeginMs + intervalMs) {
      service.limitBeginMs = at;
      service.limitCount = 0;
    }
    service.limitCount += 1;
    return service.limitCount > burst;
  }
}

const START_UP_MS = 40;
/** By which of its own lines a unit goes along with the restart of another. */
const PASSED_ON = ['PartOf', 'Requires', 'Requisite', 'BindsTo'];

export function startLimit(loaded: LoadedUnit): { readonly intervalMs: number; readonly burst: number } {
  const interval =
    loaded.setting('Unit.StartLimitIntervalSec') ?? loaded.setting('Unit.StartLimitInterval') ?? loaded.setting('Service.StartLimitInterval') ?? '10';
  return { intervalMs: spanMs(interval), burst: Number(loaded.setting('Unit.StartLimitBurst') ?? loaded.setting('Service.StartLimitBurst') ?? '5') };
}

/** systemd's time spans, as far as unit files use them: `5`, `500ms`, `1min 30s`; anything else is 0. */
export function spanMs(text: string): number {
  const units: Readonly<Record<string, number>> = { '': 1000, s: 1000, sec: 1000, ms: 1, min: 60_000, m: 60_000, h: 3_600_000 };
  return [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]*)/g)].reduce((sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ''] ?? 0), 0);
}
