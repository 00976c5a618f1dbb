/** Values in the binary form of SSH (RFC 4251 5): keys, certificates, signatures, agent messages. Pure; never trusts a length. */

/** The bytes end before the value does. */
class WireError extends Error {}

/** Each call takes the next value. Only inside `readWire`, which ends the reading where the bytes end too early. */
export interface WireReader {
  /** What was not taken yet. */
  readonly rest: Buffer;
  byte(): number;
  uint32(): number;
  uint64(): bigint;
  /** A part of the given bytes, not a copy. */
  string(): Buffer;
  text(): string;
}

/** `undefined` when the bytes end before `read` does. */
export function readWire<T>(bytes: Uint8Array, read: (reader: WireReader) => T): T | undefined {
  let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const take = (length: number): Buffer => {
    if (length > rest.length) throw new WireError();
    const taken = rest.subarray(0, length);
    rest = rest.subarray(length);
    return taken;
  };
  const reader: WireReader = {
    get rest() {
      return rest;
    },
    byte: () => take(1).readUInt8(),
    uint32: () => take(4).readUInt32BE(),
    uint64: () => take(8).readBigUInt64BE(),
    string: () => take(reader.uint32()),
    text: () => reader.string().toString('utf8'),
  };
  try {
    return read(reader);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** Length and bytes. */
export function sshString(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as Uint8Array);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
