/** One node of the lab, as tests use it. All looks into a node go over namespaces, so they work when its sshd does not. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitForBanner } from './banner.js';
import type { CommandResult } from './command.js';
import { quote } from './command.js';
import { enter, findInit, findSupervisor, rootDirOf, startContainer } from './container.js';
import type { Container } from './container.js';
import type { NodeLink } from './network.js';
import { setLink } from './network.js';

export interface FileSpec {
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Default 0o644. */
  readonly mode?: number;
}

export interface LabNode {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** `SHA256:...` of its only host key (Ed25519). */
  readonly hostKey: string;
  /** The node's root file system as seen from outside; what the node itself has mounted over it (tmpfs, bind mounts) does not show here. */
  readonly rootDir: string;
  /** Runs a POSIX shell command as root in the node, not over SSH. Rejects only when the power is off. */
  exec(command: string, options?: { readonly stdin?: string | Uint8Array; readonly timeoutMs?: number }): Promise<CommandResult>;
  /** As `exec`, but any exit code other than 0 rejects; returns standard output. */
  mustExec(command: string): Promise<string>;
  readFile(path: string): Promise<Buffer>;
  /** Missing directories are made; an existing file is overwritten in place. */
  writeFile(file: FileSpec): Promise<void>;
  /** Packets are lost from now on, without a reset. */
  cutLink(): Promise<void>;
  restoreLink(): Promise<void>;
  /** Kills the node in one moment. What it wrote stays, synced or not: the page cache is this machine's. */
  powerCut(): Promise<void>;
  /** Lets it shut down in order. */
  powerOff(): Promise<void>;
  /** Starts it, unless it runs, and waits until its sshd lets every user in. */
  boot(): Promise<void>;
}

export function createNode(container: Container, link: NodeLink, hostKey: string): LabNode {
  const port = 22;
  const exec: LabNode['exec'] = async (command, options = {}) => {
    const { code, stdout, stderr } = await enter(container, command, options.stdin, options.timeoutMs);
    return { code, stdout: stdout.toString('utf8'), stderr };
  };
  const mustRunHere = async (command: string, stdin?: string | Uint8Array): Promise<Buffer> => {
    const { code, stdout, stderr } = await enter(container, command, stdin);
    if (code !== 0) throw new Error(`${container.name}: ${command}: exit ${code}: ${stderr.trim() || stdout.toString('utf8').trim()}`);
    return stdout;
  };
  return {
    name: container.name,
    address: link.address,
    port,
    hostKey,
    rootDir: rootDirOf(container),
    exec,
    mustExec: async (command) => (await mustRunHere(command)).toString('utf8'),
    readFile: async (path) => mustRunHere(`cat ${quote(path)}`),
    async writeFile({ path, content, mode = 0o644 }) {
      const target = quote(path);
      await mustRunHere(`mkdir -p "$(dirname ${target})" && cat >${target} && chmod ${mode.toString(8)} ${target}`, content);
    },
    cutLink: async () => setLink(link, 'down'),
    restoreLink: async () => setLink(link, 'up'),
    // With its pid 1 the kernel ends every process of the node; without systemd-nspawn alone they would live on.
    powerCut: async () => endContainer(container, await findInit(container), 'SIGKILL'),
    powerOff: async () => endContainer(container, await findSupervisor(container), 'SIGTERM'),
    async boot() {
      if ((await findSupervisor(container)) === undefined) await startContainer(container);
      // While the shell turns into systemd-nspawn its command line is empty for a moment: one look proves no end.
      let misses = 0;
      await waitForBanner(link.address, port, 300_000, async () => {
        misses = (await findSupervisor(container)) === undefined ? misses + 1 : 0;
        if (misses >= 10) throw new Error(`${container.name}: ended while booting:\n${await consoleTail(container)}`);
      });
      await waitForLogins(container);
    },
  };
}

async function endContainer(container: Container, target: number | undefined, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (target === undefined) return;
  process.kill(target, signal);
  for (let waitedMs = 0; waitedMs < 180_000; waitedMs += 20) {
    if ((await findSupervisor(container)) === undefined) return;
    await sleep(20);
  }
  throw new Error(`${container.name}: still running 180 s after ${signal}`);
}

/** sshd greets before the boot is over, but lets only root in until then (pam_nologin). */
async function waitForLogins(container: Container): Promise<void> {
  for (let waitedMs = 0; waitedMs < 180_000; waitedMs += 50) {
    const init = await findInit(container);
    if (init !== undefined && !existsSync(`/proc/${init}/root/run/nologin`)) return;
    await sleep(50);
  }
  throw new Error(`${container.name}: no logins 180 s after sshd's first answer`);
}

async function consoleTail(container: Container): Promise<string> {
  const text = await readFile(join(container.dir, 'console.log'), 'utf8').catch(() => '');
  return text.split('\n').slice(-15).join('\n');
}
