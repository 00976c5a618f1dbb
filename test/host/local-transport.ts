/** A transport to this machine: starts the command under a login shell of choice, as sshd would. For tests only. */
import { spawn } from 'node:child_process';
import { PassThrough } from 'node:stream';
import type { ShellEnd, ShellStream, Transport } from '../../src/core/ports.js';

export interface LocalTransportOptions {
  /** Stands in for /bin/sh in the command: `dash`, `bash`, `busybox sh`. */
  readonly shell: string;
  /** Runs the command as sshd does; default bash. */
  readonly loginShell?: string;
  /** What the login shell's rc file does before the command. */
  readonly rc?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with what is about to be written; gives what arrives (undefined: the connection is cut instead). */
  readonly onWrite?: (text: string) => string | undefined;
  /** What is cut off goes on, as under sshd; called with its end when such a stream is closed. */
  readonly onLeftBehind?: (ended: Promise<ShellEnd>) => void;
  /** Called with each output; true: the connection is cut before it arrives. */
  readonly onOutput?: (text: string) => boolean;
}

export function createLocalTransport(options: LocalTransportOptions): Transport {
  return {
    async open(_host, command) {
      const script = `${options.rc ?? ':'}\n${command.replaceAll('/bin/sh', options.shell)}`;
      const child = spawn(options.loginShell ?? 'bash', ['-c', script], { detached: true, env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...options.env } });
      const [stdin, stdout] = [new PassThrough(), new PassThrough()];
      let cut = false;
      const lose = (): void => {
        cut = true;
        child.stdin.destroy();
        child.stdout.destroy();
        stdout.end();
      };
      stdin.on('data', (chunk: Buffer) => {
        const text = options.onWrite ? options.onWrite(chunk.toString()) : chunk;
        if (text === undefined) lose();
        else if (!cut) child.stdin.write(text);
      });
      stdin.on('end', () => child.stdin.end());
      child.stdin.on('error', () => undefined);
      child.stdout.on('data', (chunk: Buffer) => {
        if (options.onOutput?.(chunk.toString())) lose();
        else if (!cut) stdout.write(chunk);
      });
      child.stdout.on('end', () => stdout.end());
      const ended = new Promise<ShellEnd>((resolve) => {
        child.on('error', () => resolve({ how: 'lost' }));
        child.on('close', (code, signal) => resolve(cut || code === null ? (cut ? { how: 'lost' } : { how: 'signal', signal: signal ?? '' }) : { how: 'exit', code }));
      });
      const stream: ShellStream = {
        stdin, stdout, stderr: child.stderr, ended, hostKey: 'SHA256:local',
        async close() {
          child.stdin.destroy();
          if (options.onLeftBehind) {
            lose();
            options.onLeftBehind(ended);
            return;
          }
          // What does not end at the end of its input is ended with all it started.
          const timer = setTimeout(() => killGroup(child.pid), 300);
          await ended;
          clearTimeout(timer);
        },
      };
      return stream;
    },
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended in the meantime.
  }
}
