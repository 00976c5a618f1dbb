/**
 * ssh2, made to understand host certificates. The only file that loads it: what is changed must be changed before ssh2 wires
 * its own parts together, and `test/ssh/ssh2.test.ts` fails when a new version looks different. Never changes what happens where no
 * certificate algorithm was negotiated.
 *
 * ssh2 ties three things to the name of the negotiated algorithm that differ for a certificate (PROTOCOL.certkeys of OpenSSH): the
 * type of the key blob (`ssh-rsa-cert-v01@openssh.com`), the type of the signature (`rsa-sha2-512`) and the hash. So the name is
 * the blob's while the reply is parsed, and the signature's from then on; ssh2 itself still checks both, and the signature.
 */
import { createRequire } from 'node:module';
import type Ssh2 from 'ssh2';
import { parseCertificate, plainName } from './certificate.js';
import { blobTypeOf, HOST_CERTIFICATE_ALGORITHMS } from './host-certificate-algorithms.js';
import { readWire, sshString } from './wire.js';

export type * from 'ssh2';

type ParseKey = (data: Buffer, type: string) => unknown;

interface KeyExchange {
  readonly negotiated: { serverHostKey: string };
  parse(payload: Buffer): unknown;
}

interface ProtocolPart {
  readonly _server: boolean;
}

interface Ssh2Parts {
  readonly constants: { readonly SUPPORTED_SERVER_HOST_KEY: string[] };
  readonly keyParser: { parseDERKey: ParseKey };
}

const KEXDH_REPLY = 31;
/** Says that another copy of this file was here before: test runners load files more than once into a process. */
const DONE = Symbol.for('fleetmend.ssh2.hostCertificates');

function loadSsh2(): typeof Ssh2 {
  const load = createRequire(import.meta.url);
  const { constants, keyParser }: Ssh2Parts = {
    constants: load('ssh2/lib/protocol/constants.js') as Ssh2Parts['constants'],
    keyParser: load('ssh2/lib/protocol/keyParser.js') as Ssh2Parts['keyParser'],
  };
  if (!(DONE in keyParser)) {
    if (load.cache[load.resolve('ssh2/lib/protocol/kex.js')]) throw new Error('ssh2 was loaded by another file than src/ssh/ssh2.ts: import it from there');
    keyParser.parseDERKey = parsingCertificates(keyParser.parseDERKey);
    constants.SUPPORTED_SERVER_HOST_KEY.push(...HOST_CERTIFICATE_ALGORITHMS);
    watchKeyExchanges((load('ssh2/lib/protocol/Protocol.js') as { prototype: object }).prototype);
    Object.assign(keyParser, { [DONE]: true });
  }
  return load('ssh2') as typeof Ssh2;
}

/** `data`: what follows the type name in the blob. ssh2 makes the key of it that must have signed the key exchange. */
function parsingCertificates(parse: ParseKey): ParseKey {
  return (data, type) => {
    if (plainName(type) === undefined) return parse(data, type);
    const certificate = parseCertificate(Buffer.concat([sshString(type), data]));
    const key = certificate && readWire(certificate.publicBlob, (reader) => ({ type: reader.text(), fields: reader.rest }));
    return key ? parse(key.fields, key.type) : new Error('Malformed host certificate');
  };
}

/** ssh2 puts each new key exchange, also those of a rekey, into this field. */
function watchKeyExchanges(prototype: object): void {
  const current = new WeakMap<object, KeyExchange | undefined>();
  Object.defineProperty(prototype, '_kex', {
    configurable: true,
    get(this: ProtocolPart) {
      return current.get(this);
    },
    set(this: ProtocolPart, exchange: KeyExchange | undefined) {
      current.set(this, exchange);
      const plain = exchange && plainName(exchange.negotiated.serverHostKey);
      if (exchange && plain !== undefined && !this._server) acceptCertificate(exchange, plain);
    },
  });
}

function acceptCertificate(exchange: KeyExchange, signatureAlgorithm: string): void {
  const blobType = blobTypeOf(exchange.negotiated.serverHostKey);
  const parse = exchange.parse.bind(exchange);
  exchange.parse = (payload) => {
    if (payload[0] !== KEXDH_REPLY) return parse(payload);
    exchange.negotiated.serverHostKey = blobType;
    const result = parse(payload);
    exchange.negotiated.serverHostKey = signatureAlgorithm;
    return result;
  };
}

export default loadSsh2();
