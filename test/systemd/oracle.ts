/**
 * Asks a real systemd for the command lines it starts: writes units to /run of a machine, starts them all after one
 * daemon-reload and reads back the argv each one got. Leaves nothing on the machine. Judges nothing.
 */
import { toBase64, fromByteText, toByteText, fromBase64 } from '../../src/core/bytes.js';
import type { ByteText } from '../../src/core/bytes.js';

/** Runs a POSIX shell command as root on a machine with systemd; gives standard output, rejects when it fails. */
export type Exec = (command: string) => Promise<string>;

export interface OracleCase {
  /** Name of the fragment's file, `@` before the suffix when `unit` is an instance of it. */
  readonly fragmentName: string;
  readonly unit: string;
  readonly fragment: ByteText;
  /** Sorted by name. */
  readonly dropIns: readonly { readonly name: string; readonly text: ByteText }[];
  /** Under `environmentDir`. */
  readonly environmentFiles: readonly { readonly name: string; readonly text: ByteText }[];
}

export interface OracleAnswer {
  /** argv without argv[0], which the recording script cannot see; absent when nothing was started. */
  readonly argv?: readonly ByteText[];
  /** What systemd said of the unit. */
  readonly loadState: string;
}

const root = '/run/fleetmend-oracle';
export const unitDir = '/run/systemd/system';
export const environmentDir = `${root}/env`;
/** The program that a case's ExecStart= names: it records its own arguments, the first time it runs. */
export const programOf = (unit: string): string => `${root}/bin/${unit.replace(/[^A-Za-z0-9]/g, '_')}`;

const recorder = `#!/bin/sh
o=${root}/out/\${0##*/}
[ -e "$o" ] || /bin/cat /proc/$$/cmdline > "$o"
`;

const MAX_COMMAND_BYTES = 60_000;

function writeCommand(path: string, text: ByteText): string {
  const dir = path.slice(0, path.lastIndexOf('/'));
  return `mkdir -p '${dir}'; printf %s ${toBase64(fromByteText(text))} | base64 -d > '${path}'\n`;
}

function filesOf(test: OracleCase): string {
  const program = programOf(test.unit);
  return [
    writeCommand(`${unitDir}/${test.fragmentName}`, test.fragment),
    ...test.dropIns.map(({ name, text }) => writeCommand(`${unitDir}/${test.unit}.d/${name}`, text)),
    ...test.environmentFiles.map(({ name, text }) => writeCommand(`${environmentDir}/${name}`, text)),
    `mkdir -p ${root}/bin ${root}/out; cp ${root}/record '${program}'\n`,
  ].join('');
}

async function runInParts(exec: Exec, lines: readonly string[]): Promise<string> {
  let output = '';
  let part = '';
  for (const line of lines) {
    if (part !== '' && part.length + line.length > MAX_COMMAND_BYTES) {
      output += await exec(part);
      part = '';
    }
    part += line;
  }
  return part === '' ? output : output + (await exec(part));
}

/** Starts them all without waiting, then waits until none runs and no job is left. */
function startCommand(units: readonly string[]): string {
  const names = units.map((unit) => `'${unit}'`);
  return `for u in ${names.join(' ')}; do systemctl start --no-block -- "$u" 2>/dev/null || :; done
i=0
while [ $i -lt 200 ]; do
  busy=$(systemctl show -P ActiveState -- ${names.join(' ')} | grep -cE '^(activating|active|deactivating|reloading)$' || :)
  jobs=$(systemctl list-jobs --no-legend --plain 'fmo*' | grep -c . || :)
  [ "$busy$jobs" = 00 ] && break
  sleep 0.1
  i=$((i + 1))
done
`;
}

function readCommand({ unit }: OracleCase): string {
  const output = `${root}/out/${programOf(unit).slice(programOf(unit).lastIndexOf('/') + 1)}`;
  return `printf '%s %s ' '${unit}' "$(systemctl show -P LoadState -- '${unit}')"; if [ -e '${output}' ]; then base64 -w0 '${output}'; else printf -- -; fi; echo\n`;
}

function parseAnswer(line: string): [unit: string, answer: OracleAnswer] {
  const [unit = '', loadState = '', recorded = '-'] = line.split(' ');
  if (recorded === '-') return [unit, { loadState }];
  // The kernel puts the shell and the script's path in front.
  const argv = toByteText(fromBase64(recorded)).split('\0').slice(2, -1);
  return [unit, { loadState, argv }];
}

function removalOf(test: OracleCase): string {
  return `rm -rf '${unitDir}/${test.fragmentName}' '${unitDir}/${test.unit}.d'; systemctl reset-failed -- '${test.unit}' 2>/dev/null || :\n`;
}

/** Unit names must start with `fmo`. One answer per unit, by name. */
export async function askOracle(exec: Exec, cases: readonly OracleCase[]): Promise<ReadonlyMap<string, OracleAnswer>> {
  const units = cases.map(({ unit }) => unit);
  try {
    await exec(`rm -rf ${root}; ${writeCommand(`${root}/record`, recorder)}chmod 755 ${root}/record`);
    await runInParts(exec, cases.map(filesOf));
    await exec('systemctl daemon-reload');
    for (let at = 0; at < units.length; at += 50) await exec(startCommand(units.slice(at, at + 50)));
    const output = await runInParts(exec, cases.map(readCommand));
    return new Map(output.split('\n').filter((line) => line !== '').map(parseAnswer));
  } finally {
    await runInParts(exec, cases.map(removalOf));
    await exec(`rm -rf ${root}; systemctl daemon-reload`);
  }
}
