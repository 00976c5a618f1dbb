/**
 * A fake node's side of the host protocol: reads what a client sends to `/bin/sh -s`, skips the library
 * text, answers request lines in frames. Never runs a line that is not a whole request of this visit.
 */
import type { Duplex, Writable } from 'node:stream';
import { encodeAnswers, encodeFrame, encodeResult, decodeRequest, nonceOfCommand, upLine, type Request } from '../../src/host/wire.js';
import { joinFields } from '../../src/host/words.js';
import type { FakeNode } from './fake-node.js';

export interface ServeOptions {
  /** The login of this connection. Default: root. */
  readonly user?: string;
  /** Printed before anything else, as a banner or a noisy .bashrc would. */
  readonly noise?: string;
  /** Called before a request takes effect. `cut`: the connection breaks here. */
  readonly beforeRequest?: (request: Request) => 'cut' | undefined;
  /** Called with the answer's bytes. What it returns is sent instead; `cut` breaks the connection. */
  readonly answer?: (request: Request, frame: Uint8Array) => Uint8Array | 'cut';
}

/** What an SSH channel is: a duplex stream, with a second output. */
export type NodeStream = Duplex & { readonly stderr?: Writable };

const ORDINARY_UID = 1000;
const COMMAND_NOT_FOUND = 127;

/**
 * Serves one exec of `command`; settles with the exit status when the client has ended its input or the
 * connection is gone. A command that is not the protocol's is refused with 127.
 */
export async function serveFakeNode(node: FakeNode, stream: NodeStream, command: string, options: ServeOptions = {}): Promise<number> {
  if (options.noise !== undefined) stream.write(options.noise);
  const nonce = nonceOfCommand(command);
  if (nonce === undefined) {
    stream.stderr?.write('sh: command not found\n');
    return COMMAND_NOT_FOUND;
  }
  stream.write(`${upLine(nonce)}\n`);
  const isRoot = (options.user ?? 'root') === 'root';
  const wantsSudo = /\bsudo -n /.test(command);
  if (wantsSudo && !isRoot && node.sudo === 'refused') {
    stream.stderr?.write('sudo: a password is required\n');
    return 1;
  }
  const uid = isRoot || wantsSudo ? 0 : ORDINARY_UID;
  const visit: Visit = { node, stream, nonce, uid, options, number: node.newVisit(), life: node.life, canWrite: false };
  return await serveLines(stream, (line) => answerLine(visit, line));
}

interface Visit {
  readonly node: FakeNode;
  readonly stream: NodeStream;
  readonly nonce: string;
  readonly uid: number;
  readonly options: ServeOptions;
  readonly number: number;
  /** The life of the node that this shell belongs to. */
  readonly life: number | undefined;
  /** The library that was sent held the writing half. */
  canWrite: boolean;
}

/** The one line of the library that matters here: a session opened to read is never sent it. */
const TEACHES_WRITING = 'fm_do_edit()';

function answerLine(visit: Visit, line: string): void {
  const { stream, nonce, options } = visit;
  const request = decodeRequest(line, nonce);
  if (request === undefined) {
    visit.canWrite ||= line.startsWith(TEACHES_WRITING);
    return;
  }
  if (options.beforeRequest?.(request) === 'cut' || visit.node.life === undefined || visit.node.life !== visit.life) {
    stream.destroy();
    return;
  }
  const frame = encodeFrame(nonce, request.seq, answerOf(visit, request));
  const sent = options.answer?.(request, frame) ?? frame;
  if (sent === 'cut') stream.destroy();
  else stream.write(sent);
}

/** A visit that was not taught to write shows no sign of life either. */
function answerOf({ node, nonce, uid, number, canWrite }: Visit, { body }: Request): Uint8Array {
  const asker = { uid, ...(canWrite ? { visit: number } : {}) };
  if (body.kind === 'ask') return encodeAnswers(nonce, body.queries, body.queries.map((query) => node.ask(query, asker)));
  if (!canWrite) return joinFields(nonce, ['no failed', 'this session was not taught that operation']);
  return encodeResult(nonce, node.perform(body.effect, { uid, visit: number }));
}

/** Whole lines only: a line that was cut off is dropped. */
function serveLines(stream: NodeStream, onLine: (line: string) => void): Promise<number> {
  return new Promise((resolve) => {
    let held: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => {
      let from = 0;
      for (let at = chunk.indexOf('\n'); at >= 0 && !stream.destroyed; at = chunk.indexOf('\n', from)) {
        onLine(Buffer.concat([...held, chunk.subarray(from, at)]).toString('utf8'));
        held = [];
        from = at + 1;
      }
      held.push(chunk.subarray(from));
    });
    stream.on('end', () => resolve(0));
    stream.on('close', () => resolve(0));
    stream.on('error', () => resolve(0));
  });
}
