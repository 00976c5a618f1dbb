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

export function createFrameParser(nonce: string): FrameParser {
  const begin = `fm-begin-${nonce} `;
  let held: Buffer[] = [];
  let heldBytes = 0;
  let noiseBytes = 0;
  let neededBytes = 0;
  let nextSeq = 1;

  /** One step over the joined bytes: the frame found, and how much is used up; no frame means that more is needed. */
  const take = (bytes: Buffer): { readonly used: number; readonly frame?: Frame; readonly needed: number } => {
    const at = bytes.indexOf(begin);
    if (at < 0) return { used: Math.max(0, bytes.length - begin.length + 1), needed: 0 };
    const header = readHeader(bytes.subarray(at + begin.length));
    if (!header) return { used: at, needed: 0 };
    if (header.seq !== nextSeq) throw malformed(`answer ${header.seq} came where ${nextSeq} was due`);
    const payloadAt = bytes.indexOf('\n', at) + 1;
    const payloadEnd = payloadAt + header.length;
    const end = `\nfm-end-${nonce} ${header.seq} `;
    if (bytes.length < payloadEnd + end.length) return { used: at, needed: payloadEnd + end.length - at };
    if (bytes.toString('latin1', payloadEnd, payloadEnd + end.length) !== end) throw malformed('its length is wrong, other output was mixed into it');
    // sha256sum writes its line itself, so that noise may stand before it.
    const digest = /([0-9a-f]{64}) {2}-\n/.exec(bytes.toString('latin1', payloadEnd + end.length));
    if (!digest && bytes.length - payloadEnd > NOISE_LIMIT_BYTES) throw malformed('its digest is missing');
    if (!digest) return { used: at, needed: 0 };
    const payload = bytes.subarray(payloadAt, payloadEnd);
    if (digest[1] !== digestOf(payload)) throw malformed('its digest is wrong');
    return { used: payloadEnd + end.length + digest.index + digest[0].length, frame: { seq: header.seq, stream: Buffer.from(payload.toString('latin1'), 'base64') }, needed: 0 };
  };

  return {
    push(chunk) {
      held.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      heldBytes += chunk.length;
      if (heldBytes < neededBytes) return [];
      const frames: Frame[] = [];
      let bytes = Buffer.concat(held);
      for (;;) {
        const step = take(bytes);
        bytes = bytes.subarray(step.used);
        neededBytes = step.needed;
        if (!step.frame) {
          noiseBytes += step.used;
          break;
        }
        frames.push(step.frame);
        nextSeq += 1;
        noiseBytes = 0;
      }
      if (noiseBytes > NOISE_LIMIT_BYTES) throw malformed('too much other output around it');
      held = [bytes];
      heldBytes = bytes.length;
      return frames;
    },
  };
}

function readHeader(bytes: Buffer): Header | undefined {
  const lineEnd = bytes.subarray(0, HEADER_LIMIT_BYTES).indexOf('\n');
  if (lineEnd < 0) {
    if (bytes.length >= HEADER_LIMIT_BYTES) throw malformed('its header is too long');
    return undefined;
  }
  const match = /^([0-9]{1,9}) ([0-9]{1,9})$/.exec(bytes.toString('latin1', 0, lineEnd));
  if (!match) throw malformed('its header is malformed');
  const length = Number(match[2]);
  if (length > FRAME_LIMIT_BYTES) throw malformed(`it claims ${length} bytes, more than ${FRAME_LIMIT_BYTES}`);
  return { seq: Number(match[1]), length };
}
