/**
 * Frames: how one answer is found in a stream that may hold anything else. Pure and incremental,
 * bounded in memory; never looks into the answer.
 *
 *   \nfm-begin-NONCE SEQ LENGTH\n  payload (base64, LENGTH bytes)  \nfm-end-NONCE SEQ SHA256  -\n
 */
import { digestOf } from '../core/bytes.js';
import { malformed } from './words.js';

export const FRAME_LIMIT_BYTES = 16 * 1024 * 1024;
export const NOISE_LIMIT_BYTES = 1024 * 1024;
const HEADER_LIMIT_BYTES = 64;

export interface Frame {
  readonly seq: number;
  /** The decoded payload. */
  readonly stream: Uint8Array;
}

/** For a node's side. */
export function encodeFrame(nonce: string, seq: number, stream: Uint8Array): Uint8Array {
  const payload = Buffer.from(stream.buffer, stream.byteOffset, stream.byteLength).toString('base64');
  const digest = digestOf(Buffer.from(payload));
  return Buffer.from(`\nfm-begin-${nonce} ${seq} ${payload.length}\n${payload}\nfm-end-${nonce} ${seq} ${digest}  -\n`);
}

export interface FrameParser {
  /** Complete frames so far. Throws `protocol` when the stream lies; the parser is then of no more use. */
  push(chunk: Uint8Array): Frame[];
}

interface Header {
  readonly seq: number;
  readonly length: number;
}

/** What a stage of the parser made of the bytes: how many it used up, and whether the next stage is due. */
interface Step {
  readonly used: number;
  readonly isDone: boolean;
}

const DIGEST_LINE = /([0-9a-f]{64}) {2}-\n/;
const DIGEST_LINE_BYTES = 64 + 4;

/** Every byte is looked at a few times at most, and copied out of its chunk: a node that sends single bytes must not cost more. */
export function createFrameParser(nonce: string): FrameParser {
  const begin = `fm-begin-${nonce} `;
  let held: Buffer = Buffer.alloc(0);
  let noiseBytes = 0;
  let nextSeq = 1;
  let header: Header = { seq: 0, length: 0 };
  let body = createFiller(0);
  let frames: Frame[] = [];

  const addNoise = (bytes: number, what: string): void => {
    noiseBytes += bytes;
    if (noiseBytes > NOISE_LIMIT_BYTES) throw malformed(what);
  };
  const seek = (bytes: Buffer): Step => {
    const at = bytes.indexOf(begin);
    const skipped = at < 0 ? Math.max(0, bytes.length - begin.length + 1) : at;
    addNoise(skipped, 'too much other output around it');
    return at < 0 ? { used: skipped, isDone: false } : { used: at + begin.length, isDone: true };
  };
  const head = (bytes: Buffer): Step => {
    const found = readHeader(bytes);
    if (!found) return { used: 0, isDone: false };
    header = found.header;
    if (header.seq !== nextSeq) throw malformed(`answer ${header.seq} came where ${nextSeq} was due`);
    body = createFiller(header.length + endOf(header).length);
    return { used: found.used, isDone: true };
  };
  const fill = (bytes: Buffer): Step => {
    const used = body.add(bytes);
    if (!body.isFull()) return { used, isDone: false };
    if (body.bytes().toString('latin1', header.length) !== endOf(header)) throw malformed('its length is wrong, other output was mixed into it');
    noiseBytes = 0;
    return { used, isDone: true };
  };
  // sha256sum writes its line itself, so that noise may stand before it.
  const check = (bytes: Buffer): Step => {
    const digest = DIGEST_LINE.exec(bytes.toString('latin1'));
    if (!digest) {
      const skipped = Math.max(0, bytes.length - DIGEST_LINE_BYTES + 1);
      addNoise(skipped, 'its digest is missing');
      return { used: skipped, isDone: false };
    }
    const payload = body.bytes().subarray(0, header.length);
    body = createFiller(0);
    if (digest[1] !== digestOf(payload)) throw malformed('its digest is wrong');
    frames.push({ seq: header.seq, stream: Buffer.from(payload.toString('latin1'), 'base64') });
    nextSeq += 1;
    noiseBytes = 0;
    return { used: digest.index + digest[0].length, isDone: true };
  };
  const endOf = ({ seq }: Header): string => `\nfm-end-${nonce} ${seq} `;
  const stages = [seek, head, fill, check] as const;
  let stage = 0;

  return {
    push(chunk) {
      const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      let bytes = held.length > 0 ? Buffer.concat([held, fresh]) : fresh;
      frames = [];
      for (;;) {
        const step = (stages[stage] ?? seek)(bytes);
        bytes = bytes.subarray(step.used);
        if (!step.isDone) break;
        stage = (stage + 1) % stages.length;
      }
      // A copy: a few bytes of a chunk would keep all of it in memory.
      held = Buffer.from(bytes);
      return frames;
    },
  };
}

function readHeader(bytes: Buffer): { readonly header: Header; readonly used: number } | undefined {
  const lineEnd = bytes.subarray(0, HEADER_LIMIT_BYTES).indexOf('\n');
  if (lineEnd < 0) {
    if (bytes.length >= HEADER_LIMIT_BYTES) throw malformed('its header is too long');
    return undefined;
  }
  const match = /^([0-9]{1,9}) ([0-9]{1,9})$/.exec(bytes.toString('latin1', 0, lineEnd));
  if (!match) throw malformed('its header is malformed');
  const length = Number(match[2]);
  if (length > FRAME_LIMIT_BYTES) throw malformed(`it claims ${length} bytes, more than ${FRAME_LIMIT_BYTES}`);
  return { header: { seq: Number(match[1]), length }, used: lineEnd + 1 };
}

interface Filler {
  /** Takes what it has room for, and says how much that was. */
  add(bytes: Buffer): number;
  isFull(): boolean;
  bytes(): Buffer;
}

/** Grows with what arrives, not with what is claimed. */
function createFiller(wanted: number): Filler {
  let room = Buffer.allocUnsafe(Math.min(wanted, 64 * 1024));
  let filled = 0;
  return {
    add(bytes) {
      const taken = Math.min(bytes.length, wanted - filled);
      if (filled + taken > room.length) {
        const larger = Buffer.allocUnsafe(Math.min(wanted, Math.max(filled + taken, 2 * room.length)));
        room.copy(larger, 0, 0, filled);
        room = larger;
      }
      bytes.copy(room, filled, 0, taken);
      filled += taken;
      return taken;
    },
    isFull: () => filled === wanted,
    bytes: () => room.subarray(0, filled),
  };
}
