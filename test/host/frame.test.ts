import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFrameParser, encodeFrame, NOISE_LIMIT_BYTES, type Frame } from '../../src/host/frame.js';

const NONCE = '0123456789abcdef0123456789abcdef';

function feed(bytes: Uint8Array, cuts: readonly number[] = []): Frame[] {
  const parser = createFrameParser(NONCE);
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).flatMap((edge, index) => parser.push(bytes.subarray(edges[index], edge)));
}

const frame = (seq: number, content: string): Buffer => Buffer.from(encodeFrame(NONCE, seq, Buffer.from(content)));
const protocol = expect.objectContaining({ failure: expect.objectContaining({ kind: 'protocol' }) as unknown }) as unknown;
function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return 'nothing was thrown';
}

describe('frames', () => {
  it('finds every answer whatever stands around it and however it is cut into chunks', () => {
    const noise = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(fc.array(fc.tuple(noise, fc.uint8Array({ maxLength: 500 })), { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 20 }), (parts, cuts) => {
        const bytes = Buffer.concat(parts.flatMap(([before, content], index) => [before, encodeFrame(NONCE, index + 1, content)]));
        const frames = feed(bytes, cuts);
        expect(frames.map(({ seq, stream }) => [seq, Buffer.from(stream).toString('hex')])).toEqual(parts.map(([, content], index) => [index + 1, Buffer.from(content).toString('hex')]));
      }),
    );
  });

  it('waits for the rest of a frame that was cut anywhere', () => {
    const bytes = frame(1, 'content');
    for (let length = 0; length < bytes.length; length += 1) expect(feed(bytes.subarray(0, length))).toEqual([]);
    expect(feed(bytes)).toHaveLength(1);
  });

  it('takes noise between the payload and its digest', () => {
    const bytes = frame(1, 'content').toString('latin1');
    const digestAt = bytes.lastIndexOf(' 1 ') + 3;
    expect(feed(Buffer.from(`${bytes.slice(0, digestAt)}noise\n${bytes.slice(digestAt)}`))).toHaveLength(1);
  });

  it.each([
    ['other output mixed into the payload', (bytes: string) => bytes.replace(' 12\n', ' 12\nNOISE')],
    ['a byte of the payload changed', (bytes: string) => bytes.replace('Y29', 'Z29')],
    ['a digest changed', (bytes: string) => bytes.replace(/[0-9a-f]( {2}-\n)$/, 'x$1').replace('x  -', (bytes.at(-5) === '0' ? '1' : '0') + '  -')],
    ['a wrong sequence', () => frame(2, 'content').toString()],
    ['a length that is no number', (bytes: string) => bytes.replace(' 12\n', ' 1x\n')],
    ['a length beyond every limit', (bytes: string) => bytes.replace(' 12\n', ' 99999999\n')],
    ['a header that does not end', (bytes: string) => bytes.replace(' 12\n', ` ${'1'.repeat(100)}`)],
    ['an end of another visit', (bytes: string) => bytes.replace(`fm-end-${NONCE}`, `fm-end-${'f'.repeat(32)}`)],
    ['the same answer twice', (bytes: string) => bytes + bytes],
  ])('refuses %s', (_name, spoil) => {
    const bytes = spoil(frame(1, 'content').toString());
    expect(thrownBy(() => feed(Buffer.from(bytes)))).toEqual(protocol);
  });

  it('keeps no more than a bounded amount of other output', () => {
    const parser = createFrameParser(NONCE);
    const chunk = Buffer.alloc(64 * 1024, 'noise ');
    expect(thrownBy(() => {
      for (let bytes = 0; bytes <= NOISE_LIMIT_BYTES; bytes += chunk.length) parser.push(chunk);
    })).toEqual(protocol);
  });

  it('takes a frame of another nonce for noise', () => {
    expect(feed(Buffer.from(encodeFrame('f'.repeat(32), 1, Buffer.from('forged'))))).toEqual([]);
  });
});
