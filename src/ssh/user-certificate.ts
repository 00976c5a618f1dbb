/** User certificates in files: read once, and whether one is worth offering now. Never checks its authority: that is the server's part. */
import { cleanLine } from '../core/clean-text.js';
import { parseCertificate } from './certificate.js';
import type { Certificate } from './certificate.js';
import { codeOf } from './failures.js';
import { readSmallFile, reasonUnread } from './read-small-file.js';

export type CertificateFile =
  | { readonly state: 'usable'; readonly certificate: Certificate; readonly blob: Buffer }
  | { readonly state: 'absent' }
  /** `reason` completes "FILE ...". */
  | { readonly state: 'unusable'; readonly reason: string };

export function createCertificateReader(): (file: string) => Promise<CertificateFile> {
  const read = new Map<string, Promise<CertificateFile>>();
  return (file) => {
    const known = read.get(file) ?? readCertificateFile(file);
    read.set(file, known);
    return known;
  };
}

async function readCertificateFile(file: string): Promise<CertificateFile> {
  try {
    return parseCertificateFile(await readSmallFile(file));
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' ? { state: 'absent' } : { state: 'unusable', reason: `could not be read (${reasonUnread(error)})` };
  }
}

export function parseCertificateFile(text: string): CertificateFile {
  const [, base64] = /^[a-z0-9@.-]+-cert-v01@openssh\.com[ \t]+([A-Za-z0-9+/=]+)/.exec(text) ?? [];
  const blob = Buffer.from(base64 ?? '', 'base64');
  const certificate = parseCertificate(blob);
  return certificate ? { state: 'usable', certificate, blob } : { state: 'unusable', reason: 'is not an OpenSSH certificate of a known type' };
}

/** Why it would be refused, completing "the certificate ..."; `undefined` when it is worth a try. */
export function refusalOfCertificate({ role, validAfter, validBefore }: Certificate, now: Date): string | undefined {
  const seconds = BigInt(Math.floor(now.getTime() / 1000));
  if (role !== 'user') return role === 'host' ? 'is one of a host, not of a user' : 'is neither one of a user nor of a host';
  if (seconds >= validBefore) return `expired at ${timeOf(validBefore)}`;
  return seconds < validAfter ? `is not valid before ${timeOf(validAfter)}` : undefined;
}

const LAST_DATE_SECONDS = 8_640_000_000_000n;

function timeOf(seconds: bigint): string {
  return seconds > LAST_DATE_SECONDS ? 'the end of time' : new Date(Number(seconds) * 1000).toISOString().replace('.000', '');
}

/** For people: `certificate "deploy" 42`. */
export function nameOfCertificate({ keyId, serial }: Certificate): string {
  return `certificate "${cleanLine(keyId).slice(0, 100)}" ${serial}`;
}
