/**
 * What a plan saw of a node, small enough to be saved and compared: digests instead of bytes. A watcher of questions and
 * answers fills it. Never holds what varies by itself: pids, times, health, the lock, free space.
 */
import { digestOf, splitCommandLine } from './bytes.js';
import { cleanLine } from './clean-text.js';
import type { Answer, CapabilityAnswer, DirectoryAnswer, FileAnswer, ProcessFacts, Query, Questions, UnitAnswer } from './query.js';

/** Half of a SHA-256 in hex: enough against forgery, and its start is what `sha256sum` prints. */
export type ShortDigest = string;

/** Every file, unit, process and program that was looked at; by path or name, as the question named it. */
export interface Observed {
  /** `SHA256:...` of the key that the server proved. */
  readonly hostKey?: string;
  /** A short digest (`DIGEST at /real/path` behind a link), `absent`, `unread`, `directory` or `other`. */
  readonly files: Readonly<Record<string, string>>;
  /** Names below each directory that was listed, as one short digest; `absent` or `unread`. */
  readonly directories: Readonly<Record<string, string>>;
  /** State in words, and a short digest of what systemd has loaded: `loaded active running enabled, settings 0a1b...`. */
  readonly units: Readonly<Record<string, string>>;
  /** By unit or program: the words of the command line. */
  readonly commandLines: Readonly<Record<string, readonly string[]>>;
  /** Output of `--version` by program; host name, kernel, systemd. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Runs `program` as it is and keeps what its plan rests on. Asked twice: the last answer counts. */
export function* observe<T>(program: Questions<T>): Questions<{ readonly value: T; readonly observed: Observed }> {
  const sight = new Sight();
  let next = program.next();
  while (next.done !== true) {
    const queries = next.value;
    const answers = yield queries;
    for (const [index, query] of queries.entries()) {
      const answer = answers[index];
      if (answer !== undefined) sight.take(query, answer);
    }
    next = program.next(answers);
  }
  return { value: next.value, observed: sight.observed() };
}

class Sight {
  private readonly files = new Map<string, string>();
  private readonly directories = new Map<string, string>();
  private readonly units = new Map<string, string>();
  private readonly commandLines = new Map<string, readonly string[]>();
  private readonly versions = new Map<string, string>();
  private readonly ofUnits = new Set<number>();

  /** Questions that are not named here have answers that vary by themselves, or that a fresh plan judges anew. */
  take(query: Query, answer: Answer): void {
    if (query.ask === 'file' && answer.ask === 'file') this.files.set(plainPath(query.path), answer.ok ? fileWord(answer.value) : 'unread');
    if (query.ask === 'directory' && answer.ask === 'directory') this.directories.set(query.path, answer.ok ? directoryWord(answer.value) : 'unread');
    if (query.ask === 'version' && answer.ask === 'version') this.versions.set(plainPath(query.exe), answer.ok ? cleanLine(answer.value.text) : 'unread');
    if (query.ask === 'unit' && answer.ask === 'unit') this.takeUnit(query.unit, answer.ok ? answer.value : undefined);
    if (query.ask === 'process' && answer.ask === 'process' && answer.ok && answer.value.process !== undefined) this.takeProcess(answer.value.process);
    if (query.ask === 'capability' && answer.ask === 'capability' && answer.ok) this.takeNode(answer.value);
  }

  observed(): Observed {
    return {
      files: sorted(this.files), directories: sorted(this.directories), units: sorted(this.units),
      commandLines: sorted(this.commandLines), versions: sorted(this.versions),
    };
  }

  private takeUnit(unit: string, answer: UnitAnswer | undefined): void {
    this.units.set(unit, answer === undefined ? 'unread' : unitWords(answer));
    this.commandLines.delete(unit);
    if (answer?.process === undefined) return;
    this.ofUnits.add(answer.process.pid);
    this.commandLines.set(unit, wordsOf(answer.process));
  }

  /** Of several processes of one program that lowest in order counts: pids come and go. */
  private takeProcess(process: ProcessFacts): void {
    if (this.ofUnits.has(process.pid)) return;
    const words = wordsOf(process);
    const other = this.commandLines.get(process.exe);
    if (other === undefined || words.join('\0') < other.join('\0')) this.commandLines.set(process.exe, words);
  }

  private takeNode({ hostname, kernel, systemd }: CapabilityAnswer): void {
    this.versions.set('host name', cleanLine(hostname));
    this.versions.set('kernel', cleanLine(kernel));
    this.versions.set('systemd', systemd === undefined ? 'none' : String(systemd));
  }
}

/** A plan knows only questions; whoever holds the connection adds which key the server proved. */
export function withHostKey<P extends { readonly observed?: Observed }>(plan: P, hostKey: string): P {
  return plan.observed === undefined ? plan : { ...plan, observed: { hostKey, ...plan.observed } };
}

export function shortDigest(bytes: Uint8Array): ShortDigest {
  return digestOf(bytes).slice(0, 32);
}

function fileWord(file: FileAnswer): string {
  if (!file.exists) return 'absent';
  const word = file.kind === 'file' ? shortDigest(file.bytes) : file.kind;
  return file.viaLink ? `${word} at ${file.realPath}` : word;
}

function directoryWord(directory: DirectoryAnswer): string {
  if (!directory.exists) return 'absent';
  const names = directory.entries.map(({ path, kind, target }) => `${kind} ${target ?? ''} ${path}`).sort();
  return shortDigest(Buffer.from(JSON.stringify([directory.isDirectory, names])));
}

/** What systemd would start by, as it has it loaded. Counts, times and pids are left out. */
const SETTINGS = [
  'Type', 'Restart', 'RestartUSec', 'FragmentPath', 'DropInPaths', 'Environment', 'EnvironmentFiles', 'ExecStart', 'StartLimitBurst',
  'StartLimitIntervalUSec', 'TimeoutStartUSec', 'TimeoutStopUSec', 'WorkingDirectory', 'RootDirectory',
  'ConsistsOf', 'RequiredBy', 'RequisiteOf', 'BoundBy',
];
/** How the last start went stands behind each command of ExecStart. */
const LAST_START = / ; start_time=[^;]* ; stop_time=[^;]* ; pid=[^;]* ; code=[^;]* ; status=[^;}]*\}/g;

function unitWords({ properties }: UnitAnswer): string {
  const words = ['LoadState', 'ActiveState', 'SubState', 'UnitFileState'].map((name) => properties[name] ?? '').filter((word) => word !== '');
  const stale = properties['NeedDaemonReload'] === 'yes' ? ['not-reloaded'] : [];
  const settings = SETTINGS.map((name) => (properties[name] ?? '').replaceAll(LAST_START, ' }'));
  return `${[...words, ...stale].join(' ')}${SETTINGS_MARK}${shortDigest(Buffer.from(JSON.stringify(settings)))}`;
}

export const SETTINGS_MARK = ', settings ';

/** A command line longer than any real one would fill the journal. */
const MAX_COMMAND_LINE_BYTES = 16_384;

function wordsOf({ cmdline }: ProcessFacts): string[] {
  const words = splitCommandLine(cmdline);
  return cmdline.length <= MAX_COMMAND_LINE_BYTES ? words : [`${words.length} words with the digest ${shortDigest(cmdline)}`];
}

/** The executable of a replaced kubelet is asked for by its pid. */
function plainPath(path: string): string {
  return path.replace(/^\/proc\/\d+\//, '/proc/PID/');
}

function sorted<T>(values: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...values].sort(([left], [right]) => (left < right ? -1 : 1)));
}
