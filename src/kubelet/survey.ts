/**
 * Learns everything about one node's kubelet that a judgement or a change needs, in as few round trips as the node
 * allows: the unit with its process; then config, drop-ins and unit files; then what those name. Yields questions only.
 */
import { splitCommandLine } from '../core/bytes.js';
import type { ProcessFacts, Query, Questions, UnitAnswer } from '../core/query.js';
import { ask } from '../core/query.js';
import { readCommand } from './command.js';
import type { KubeletCommand } from './command.js';
import { configPaths, configQueries, readConfigFiles } from './config-files.js';
import type { ConfigPaths } from './config-files.js';
import { findDrift } from './drift.js';
import { EMBEDDING, findElsewhere } from './find-kubelet.js';
import { gather, Known } from '../core/gather.js';
import { baseName } from '../core/paths.js';
import type { ConfigFiles, KubeletSurvey, NextStart, StoppedKubelet } from './survey-types.js';
import { readUnitStart, unitFileQueries, unitFilesRead } from '../systemd/unit-sources.js';
import { describeStopped, restartNotes } from './unit-state.js';
import { workingDirectory } from './working-directory.js';

export type * from './survey-types.js';

type Look = KubeletSurvey | { readonly state: 'again'; readonly reason: string };

/** A kubelet that restarts while it is looked at is looked at again, this often in all (kubelet.md 9, row 68). */
const LOOKS = 3;

export function* surveyKubelet(unit: string): Questions<KubeletSurvey> {
  let reason = '';
  for (let look = 0; look < LOOKS; look += 1) {
    const seen = yield* surveyOnce(unit);
    if (seen.state !== 'again') return seen;
    ({ reason } = seen);
  }
  return { state: 'unknown', unit, reason: `${reason} (looked ${LOOKS} times)` };
}

function* surveyOnce(unit: string): Questions<Look> {
  const [asked] = yield* ask({ ask: 'unit', unit });
  if (!asked.ok) {
    const state = asked.reason === 'missingTool' ? 'notApplicable' : 'unknown';
    return { state, unit, reason: state === 'unknown' ? `systemd could not be asked for ${unit}: ${asked.detail}` : 'systemd does not run this node' };
  }
  const answer = asked.value;
  const { process } = answer;
  if (process !== undefined) return yield* surveyProcess(unit, answer, process);
  const pid = answer.properties['MainPID'] ?? '0';
  if (pid !== '0') return { state: 'again', reason: `process ${pid} of ${unit} cannot be seen: it has ended, or it is hidden from this user` };
  if (answer.properties['LoadState'] === 'not-found') return yield* findElsewhere(unit, `${unit} does not exist`);
  return yield* surveyStopped(unit, answer);
}

function* surveyProcess(unit: string, answer: UnitAnswer, process: ProcessFacts): Questions<Look> {
  if (process.cmdline.length === 0) return { state: 'again', reason: `process ${process.pid} of ${unit} has no command line: it is ending or may not be read` };
  const embedding = EMBEDDING.get(baseName(process.exe));
  if (embedding !== undefined) return { state: 'notApplicable', unit, reason: embedding };
  const argv = splitCommandLine(process.cmdline);
  const command = process.exe === '' ? readCommand(argv) : readCommand(argv, process.exe);
  if (command === undefined) return yield* findElsewhere(unit, `the main process of ${unit} is ${process.exe}, not a kubelet`);
  if (!process.hostNamespaces || isElsewhere(answer)) {
    return { state: 'unknown', unit, reason: `the kubelet of ${unit} has its own view of the files (a container, or a unit with its own mounts): they cannot be read from outside` };
  }
  return yield* surveyRunning(unit, answer, process, command);
}

function* surveyRunning(unit: string, answer: UnitAnswer, process: ProcessFacts, command: KubeletCommand): Questions<Look> {
  const known = new Known();
  const cwd = process.cwd === '' ? workingDirectory(answer) : process.cwd;
  const paths = configPaths(command, cwd, process.exeDeleted ? `/proc/${process.pid}/exe` : process.exe);
  const nextPaths = (): ConfigPaths | undefined => {
    const next = predictCommand(unit, answer, known);
    if (next === undefined) return undefined;
    return configPaths(next, cwd, next.argv[0] === command.argv[0] ? process.exe : (next.argv[0] ?? ''));
  };
  const again: Query = { ask: 'process', pid: process.pid };
  yield* gather(known, () => [...configQueries(paths, known), again, ...nextQueries(unit, answer, known, nextPaths)]);

  const now = known.get<'process'>({ ask: 'process', pid: process.pid });
  if (now?.ok === true && now.value.process?.startTicks !== process.startTicks) {
    return { state: 'again', reason: `the kubelet of ${unit} restarted while it was looked at` };
  }
  const files = readConfigFiles(paths, known);
  const next = readNext(unit, answer, known, nextPaths(), (other) => (isSame(paths, other) ? files : readConfigFiles(other, known)));
  const unitFiles = unitFilesRead(unit, answer, known);
  const deleted = process.exeDeleted ? [`${process.exe} was replaced since the kubelet started: a restart starts another version`] : [];
  const found = findDrift({ unit, answer, process, command, files, next, unitFiles });
  return {
    state: 'running', unit, answer, process, command, files, next, unitFiles,
    ...found,
    drift: [...deleted, ...found.drift],
    notes: restartNotes(unit, answer),
  };
}

function* surveyStopped(unit: string, answer: UnitAnswer): Questions<StoppedKubelet> {
  const stopped = { state: 'notRunning', unit, answer, ...describeStopped(unit, answer), notes: [] } as const;
  if (stopped.why === 'masked') return { ...stopped, next: { predicted: false, reason: stopped.reason }, unitFiles: new Map() };
  const known = new Known();
  const nextPaths = (): ConfigPaths | undefined => {
    const next = predictCommand(unit, answer, known);
    return next === undefined ? undefined : configPaths(next, workingDirectory(answer), next.argv[0] ?? '');
  };
  yield* gather(known, () => nextQueries(unit, answer, known, nextPaths));
  const next = readNext(unit, answer, known, nextPaths(), (paths) => readConfigFiles(paths, known));
  return { ...stopped, next, unitFiles: unitFilesRead(unit, answer, known) };
}

function nextQueries(unit: string, answer: UnitAnswer, known: Known, nextPaths: () => ConfigPaths | undefined): Query[] {
  const queries = unitFileQueries(unit, answer, known);
  const paths = queries.every((query) => known.has(query)) ? nextPaths() : undefined;
  return paths === undefined ? queries : [...queries, ...configQueries(paths, known)];
}

function predictCommand(unit: string, answer: UnitAnswer, known: Known): KubeletCommand | undefined {
  const start = readUnitStart(unit, answer, known);
  return start.ok ? readCommand(start.prediction.words.map((word) => word.value)) : undefined;
}

function readNext(unit: string, answer: UnitAnswer, known: Known, paths: ConfigPaths | undefined, read: (paths: ConfigPaths) => ConfigFiles): NextStart {
  const start = readUnitStart(unit, answer, known);
  if (!start.ok) return { predicted: false, reason: start.reason };
  const { sources, prediction } = start;
  if (prediction.wouldNotStart !== undefined) return { predicted: true, sources, prediction, files: {} };
  const command = predictCommand(unit, answer, known);
  if (command === undefined || paths === undefined) {
    const program = prediction.words[0]?.value ?? '';
    return { predicted: false, reason: `${unit} starts ${program}, which starts the kubelet in a way of its own`, sources };
  }
  return { predicted: true, sources, prediction, command, files: read(paths) };
}

function isSame(a: ConfigPaths, b: ConfigPaths): boolean {
  return a.config === b.config && a.directory === b.directory && (a.exe === b.exe || a.directory === undefined);
}

function isElsewhere(answer: UnitAnswer): boolean {
  const root = answer.properties['RootDirectory'] ?? '';
  return root !== '' && root !== '/';
}
