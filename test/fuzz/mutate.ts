/** Makes one input from others: bytes turned, pieces moved, words of a dictionary put in. The same randomness gives the same input. */

export interface Random {
  /** 0 <= n < limit. */
  below(limit: number): number;
}

/** mulberry32: small, quick, and the same on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    below(limit) {
      state = (state + 0x6d2b79f5) >>> 0;
      let word = Math.imul(state ^ (state >>> 15), state | 1);
      word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
      return ((word ^ (word >>> 14)) >>> 0) % Math.max(1, limit);
    },
  };
}

const ODD = ['\0', '\n', '\r\n', '\t', ' ', '\\', '"', "'", '{', '}', '[', ']', ':', ',', '#', '=', '-', '%', '$', '*', '!', '&', '|', '../', '\u001b[2J', '\u202e', '\u0085', '\ufeff', '__proto__', '9223372036854775808', '-1', '1e999', 'constructor'];

const MAX_BYTES = 64 * 1024;

export function mutate(input: Buffer, others: readonly Buffer[], dictionary: readonly string[], random: Random): Buffer {
  let bytes = input;
  for (let left = 1 + random.below(4); left > 0; left -= 1) bytes = mutateOnce(bytes, others, dictionary, random);
  return bytes.subarray(0, MAX_BYTES);
}

function mutateOnce(bytes: Buffer, others: readonly Buffer[], dictionary: readonly string[], random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const to = at + random.below(Math.min(64, bytes.length - at) + 1);
  const cut = (piece: Buffer, end = at): Buffer => Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(end)]);
  switch (random.below(8)) {
    case 0: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
      return copy;
    }
    case 1:
      return cut(Buffer.alloc(0), to);
    case 2:
      return cut(bytes.subarray(at, to));
    case 3:
      return cut(Buffer.from(pick(ODD, random)));
    case 4:
      return cut(Buffer.from(pick(dictionary.length > 0 ? dictionary : ODD, random)));
    case 5:
      return cut(Buffer.from(pick(dictionary.length > 0 ? dictionary : ODD, random)), to);
    case 6: {
      const other = pick(others, random);
      const from = random.below(other.length + 1);
      return cut(other.subarray(from, from + random.below(256)), to);
    }
    default:
      return cut(Buffer.from([random.below(256)]), to);
  }
}

export function pick<T>(items: readonly [T, ...T[]] | readonly T[], random: Random): T {
  const item = items[random.below(items.length)];
  if (item === undefined) throw new RangeError('nothing to pick from');
  return item;
}
