/**
 * What a login may run as root where it gets no root shell (`scope: commands`): single commands that only read, listed word for
 * word. They are those of narrow.sh; its tests hold both together. Pure.
 */
import { sudoersCommand, sudoersUser } from './sudo-rules.js';

const STAT_FORMAT = '%s %f %u %g %h %i %.9Y';
/** Stands for a number in the path of a process. */
const ANY_PROCESS = '/proc/PID/';
const ANY_PROCESS_IN_SUDOERS = '/proc/[0-9]*/';

/** Where processes lead: their programs, directories and namespaces; and which of them run a program. */
const ABOUT_PROCESSES: readonly (readonly string[])[] = [
  ['/bin/readlink', '/proc/PID/exe', '/proc/PID/cwd'],
  ['/bin/readlink', '/proc/PID/ns/pid', '/proc/PID/ns/mnt', '/proc/1/ns/pid', '/proc/1/ns/mnt'],
  ['/usr/bin/find', '/proc', '-maxdepth', '2', '-name', 'exe', '-ls'],
];

/** What a file's bytes, its real path and its owner take. */
function aboutFile(path: string): readonly (readonly string[])[] {
  return [['/usr/bin/stat', '-L', '-c', STAT_FORMAT, '--', path], ['/bin/readlink', '-n', '-f', '--', path], ['/bin/cat', '--', path]];
}

/** As they stand in sudoers. */
export function narrowCommands(files: readonly string[]): string[] {
  return [...ABOUT_PROCESSES, ...files.flatMap(aboutFile)].map(narrowCommand);
}

function narrowCommand(words: readonly string[]): string {
  return sudoersCommand(words).replaceAll(ANY_PROCESS, ANY_PROCESS_IN_SUDOERS);
}

/** The line that allows what a node's sudo did not: its words as the shell text joined them. */
export function narrowLine(user: string, command: string): string {
  const processes = command.startsWith('/bin/readlink /proc/') ? command.replaceAll(/\/proc\/(?!1\/ns)[0-9]+\//g, ANY_PROCESS) : command;
  return `${sudoersUser(user)} ALL=(root) NOPASSWD: ${narrowCommand(processes.split(' '))}`;
}
