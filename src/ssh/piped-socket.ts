/**
 * A pair of streams as one socket: what a jump host's channel or a program's pipes need in order to carry an SSH connection.
 * `destroy` always ends it, whatever the other side does (a channel of ssh2 waits for its peer: ssh.md 2.5). Never holds more than
 * the streams' own buffers.
 */
import { Duplex } from 'node:stream';
import type { Readable, Writable } from 'node:stream';
import type { Carrier } from './link.js';

export interface Pipes {
  readonly output: Readable;
  /** May be the same stream. */
  readonly input: Writable;
  /** Once, when the socket is destroyed. */
  release(): void;
  ref(): void;
  unref(): void;
  /** Whether what carries the streams is well. */
  probe?(): Promise<boolean>;
}

export function createPipedSocket(pipes: Pipes): Carrier {
  return new PipedSocket(pipes);
}

class PipedSocket extends Duplex implements Carrier {
  constructor(private readonly pipes: Pipes) {
    super();
    const { output, input } = pipes;
    output.on('data', this.onOutput);
    output.on('end', this.onOutputEnd);
    output.on('close', this.onOutputEnd);
    output.on('error', this.onOutputEnd);
    // Whoever takes no input any more ends its output too, or is silent: both are seen there.
    input.on('error', () => undefined);
  }

  ref(): this {
    this.pipes.ref();
    return this;
  }

  unref(): this {
    this.pipes.unref();
    return this;
  }

  async probe(): Promise<boolean> {
    return (await this.pipes.probe?.()) ?? true;
  }

  override _read(): void {
    this.pipes.output.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.pipes.input.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.pipes.input.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { output } = this.pipes;
    output.off('data', this.onOutput);
    // What still comes is dropped, not kept.
    output.resume();
    this.pipes.release();
    done(error);
  }

  private readonly onOutput = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.pipes.output.pause();
  };

  private readonly onOutputEnd = (): void => {
    if (!this.destroyed && !this.readableEnded) this.push(null);
  };
}
