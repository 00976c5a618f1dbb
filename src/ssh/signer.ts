/** Something that signs for a key: a private key in memory, or an agent. Never shows the key. */

export interface Signer {
  /** `ssh-ed25519`, also where only a certificate of such a key is known. */
  readonly keyType: string;
  /** The plain public key. */
  readonly publicBlob: Buffer;
  /** For people: a file's name, `ssh-agent`. */
  readonly origin: string;
  /** The signature as it goes over the wire: algorithm, bytes. Rejects when there is none; its message is for people. */
  sign(data: Buffer, algorithm: string): Promise<Buffer>;
}
