/**
 * Named pipes for the logs of `ssh`, in a directory that is only ours and goes with the last of them. Pipes, because a server that
 * floods the log would fill a disk; here the flood passes by. Always read, never kept: lines longer than 4 KiB are cut.
 */
import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { constants, existsSync, mkdtempSync, openSync, rmdirSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cutText } from '../core/clean-text.js';
import { FleetmendError } from '../core/failure.js';
import { noRoomFailure } from './require-ssh.js';

export interface LogPipe {
  /** For `ssh -E`; to be closed only when that `ssh` is gone. */
  readonly path: string;
  /** Settles when every line that was written before this call has been read, or when nothing can be read any more. */
  drained(): Promise<void>;
  close(): void;
}

export interface LogPipes {
  /** Rejects with FleetmendError (badInput) when this machine has no room or no `mkfifo` for it. */
  open(onLine: (line: string) => void): Promise<LogPipe>;
}

/** One `mkfifo` makes so many: it is a process. */
const BATCH = 16;
const LINE_BYTES = 4096;

export function createLogPipes(): LogPipes {
  let directory: string | undefined;
  let inUse = 0;
  let made = 0;
  /** Whatever of them is there. */
  const standing = new Set<string>();
  let ready: Promise<string[]> = Promise.resolve([]);

  const nextPath = async (): Promise<string> => {
    for (;;) {
      const batch = ready;
      const path = (await batch).pop();
      if (path !== undefined) return path;
      if (batch === ready) ready = makeBatch();
    }
  };
  const makeBatch = async (): Promise<string[]> => {
    directory ??= mkdtempSync(join(tmpdir(), 'fleetmend-ssh-log-'));
    const paths = Array.from({ length: BATCH }, () => join(directory ?? '', String((made += 1))));
    for (const path of paths) standing.add(path);
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths], { timeout: 10_000 });
    return paths;
  };
  const leave = (): void => {
    inUse -= 1;
    if (inUse > 0) return;
    ready = Promise.resolve([]);
    if (directory === undefined) return;
    // One by one: to list a directory needs a descriptor, and there may be none.
    for (const path of standing) rmSync(path, { force: true });
    standing.clear();
    const empty = directory;
    directory = undefined;
    rmdirSync(empty);
  };

  return {
    async open(onLine) {
      inUse += 1;
      try {
        return openPipe(await nextPath(), onLine, (path) => {
          standing.delete(path);
          leave();
        });
      } catch (error) {
        ready = Promise.resolve([]);
        leave();
        throw new FleetmendError(noRoomFailure('the log of ssh', error) ?? {
          kind: 'badInput', summary: `no pipe for the log of ssh could be made in ${tmpdir()} (${error instanceof Error ? error.message.split('\n')[0] ?? '' : 'unknown error'})`,
          next: 'check that this directory is writable and that mkfifo is installed',
        }, { cause: error });
      }
    },
  };
}

function openPipe(path: string, onLine: (line: string) => void, leave: (path: string) => void): LogPipe {
  // Open for both: it never ends while writers come and go, and takes our own mark.
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: true });
  // By this name it goes with our process; under the other an `ssh` that opens it after our death would wait for ever.
  const living = `/proc/${process.pid}/fd/${fd}`;
  const marks = new Map<string, () => void>();
  let rest = '';
  let isClosed = false;
  socket.on('error', () => undefined);
  socket.setEncoding('latin1').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n');
    rest = (lines.pop() ?? '').slice(0, LINE_BYTES);
    for (const line of lines) {
      const settle = marks.get(line);
      marks.delete(line);
      if (settle) settle();
      else onLine(cutText(line, LINE_BYTES).replace(/\r$/, ''));
    }
  });
  const settleAll = (): void => {
    for (const settle of marks.values()) settle();
  };
  socket.once('close', settleAll);
  return {
    path: existsSync(living) ? living : path,
    drained: () => new Promise((resolve) => {
      if (socket.destroyed) return resolve();
      const mark = randomBytes(16).toString('hex');
      marks.set(mark, resolve);
      socket.write(`\n${mark}\n`);
    }),
    close() {
      if (isClosed) return;
      isClosed = true;
      socket.destroy();
      rmSync(path, { force: true });
      leave(path);
    },
  };
}
