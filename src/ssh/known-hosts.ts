/**
 * known_hosts as text: which host keys are trusted under which name, and what to say of a presented key (ssh.md 2.6).
 * Pure. Never reads files, never accepts what OpenSSH would refuse; a revoked key loses against everything.
 */
import { fingerprintOf, keyTypeOf } from './fingerprint.js';
import { matchesHostField, parseHostField } from './host-patterns.js';
import type { HostField } from './host-patterns.js';

export interface KnownHostsLine {
  readonly file: string;
  readonly line: number;
  readonly marker: 'none' | 'revoked' | 'certAuthority';
  readonly hosts: HostField;
  readonly keyType: string;
  /** Base64 in canonical form. */
  readonly key: string;
}

export interface ParsedKnownHosts {
  readonly lines: readonly KnownHostsLine[];
  /** Numbers of lines that are neither empty, comment nor readable. */
  readonly unreadableLines: readonly number[];
}

/** `firstLine`: the number of the text's first line in its file. */
export function parseKnownHosts(text: string, file: string, firstLine = 1): ParsedKnownHosts {
  const lines: KnownHostsLine[] = [];
  const unreadableLines: number[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    const parsed = parseLine(content, file, firstLine + index);
    if (parsed) lines.push(parsed);
    else unreadableLines.push(firstLine + index);
  }
  return { lines, unreadableLines };
}

function parseLine(content: string, file: string, line: number): KnownHostsLine | undefined {
  const words = content.split(/[ \t]+/);
  const marker = markerOf(words[0]);
  if (marker === undefined) return undefined;
  const [hostText, keyType, keyText] = marker === 'none' ? words : words.slice(1);
  if (hostText === undefined || keyType === undefined || keyText === undefined) return undefined;
  const blob = Buffer.from(keyText, 'base64');
  const hosts = parseHostField(hostText);
  if (hosts === undefined || keyTypeOf(blob) !== keyType) return undefined;
  return { file, line, marker, hosts, keyType, key: blob.toString('base64') };
}

function markerOf(word: string | undefined): KnownHostsLine['marker'] | undefined {
  if (word === '@revoked') return 'revoked';
  if (word === '@cert-authority') return 'certAuthority';
  return word?.startsWith('@') ? undefined : 'none';
}

/** The names under which a host is looked up, in lower case. */
export interface LookupName {
  readonly exact: string;
  /** On an unusual port OpenSSH also takes a line without port, but only to accept the same key. */
  readonly withoutPort?: string;
}

/**
 * The name is the address that the connection goes to (what a person would give to `ssh`), never the inventory's name
 * for the host: renaming a host must not change whom we trust. An alias (HostKeyAlias) stands for address and port.
 */
export function lookupNameOf(address: string, port: number, alias?: string): LookupName {
  if (alias !== undefined) return { exact: alias.toLowerCase() };
  const name = address.toLowerCase();
  return port === 22 ? { exact: name } : { exact: `[${name}]:${port}`, withoutPort: name };
}

/** What a host certificate must be made out to: ports play no part in it. */
export function principalOf(name: LookupName): string {
  return name.withoutPort ?? name.exact;
}

export interface KnownPlace {
  readonly file: string;
  readonly line: number;
  readonly keyType: string;
  readonly fingerprint: string;
}

export type HostKeyVerdict =
  | { readonly verdict: 'known'; readonly place: KnownPlace }
  /** `otherTypes`: keys of another type are recorded for this very name and port. */
  | { readonly verdict: 'unknown'; readonly otherTypes: readonly KnownPlace[]; readonly certAuthorities: readonly KnownPlace[] }
  | { readonly verdict: 'changed'; readonly place: KnownPlace }
  | { readonly verdict: 'revoked'; readonly place: KnownPlace };

/** What known_hosts says of the authority that signed a certificate; the certificate itself is judged elsewhere. */
export type AuthorityVerdict =
  | { readonly verdict: 'trusted' | 'revoked'; readonly place: KnownPlace }
  | { readonly verdict: 'unknown' };

export interface KnownHosts {
  add(lines: readonly KnownHostsLine[]): void;
  /** Of a plain key. */
  judge(name: LookupName, presented: Uint8Array): HostKeyVerdict;
  judgeAuthority(name: LookupName, authority: Uint8Array): AuthorityVerdict;
  /** Certificates are worth asking for. */
  hasAuthority(name: LookupName): boolean;
  /** Types recorded under unhashed names: cheap, for ordering the offer. Hashed lines cost one HMAC each (ssh.md 2.6). */
  typesUnhashed(name: LookupName): ReadonlySet<string>;
  /** The same over every line. */
  types(name: LookupName): ReadonlySet<string>;
}

/** Indexed by key: the usual question ("is this key known?") tests the names of one or two lines only. */
export function createKnownHosts(): KnownHosts {
  const byKey = new Map<string, KnownHostsLine[]>();
  const byPlainName = new Map<string, KnownHostsLine[]>();
  const withPatterns: KnownHostsLine[] = [];
  const hashed: KnownHostsLine[] = [];
  const authorities: KnownHostsLine[] = [];

  const unhashedLinesOf = (name: string): KnownHostsLine[] => [
    ...(byPlainName.get(name) ?? []),
    ...withPatterns.filter((line) => matchesHostField(line.hosts, name)),
  ];
  const linesOf = (name: string): KnownHostsLine[] =>
    [...unhashedLinesOf(name), ...hashed.filter((line) => matchesHostField(line.hosts, name))];
  const typesIn = (search: (name: string) => KnownHostsLine[], name: LookupName): ReadonlySet<string> => {
    const exact = plainTypes(search(name.exact));
    return exact.size > 0 || name.withoutPort === undefined ? exact : plainTypes(search(name.withoutPort));
  };

  const isFor = (line: KnownHostsLine, wanted: string | undefined): boolean => wanted !== undefined && matchesHostField(line.hosts, wanted);
  const linesWithKey = (key: Uint8Array): readonly KnownHostsLine[] => byKey.get(Buffer.from(key).toString('base64')) ?? [];
  const revocationOf = (name: LookupName, lines: readonly KnownHostsLine[]): KnownHostsLine | undefined =>
    lines.find((line) => line.marker === 'revoked' && (isFor(line, name.exact) || isFor(line, name.withoutPort)));
  const authoritiesOf = (name: LookupName): readonly KnownHostsLine[] =>
    authorities.filter((line) => isFor(line, name.exact) || isFor(line, name.withoutPort));

  return {
    add(lines) {
      for (const line of lines) {
        push(byKey, line.key, line);
        if (line.marker === 'certAuthority') authorities.push(line);
        if (line.hosts.form === 'hashed') hashed.push(line);
        else if (line.hosts.form === 'patterns') withPatterns.push(line);
        else for (const name of new Set(line.hosts.names)) push(byPlainName, name, line);
      }
    },
    typesUnhashed: (name) => typesIn(unhashedLinesOf, name),
    types: (name) => typesIn(linesOf, name),
    hasAuthority: (name) => authoritiesOf(name).length > 0,
    judgeAuthority(name, authority) {
      const revoked = revocationOf(name, linesWithKey(authority));
      if (revoked) return { verdict: 'revoked', place: placeOf(revoked) };
      const key = Buffer.from(authority).toString('base64');
      const trusted = authoritiesOf(name).find((line) => line.key === key);
      return trusted ? { verdict: 'trusted', place: placeOf(trusted) } : { verdict: 'unknown' };
    },
    judge(name, presented) {
      const sameKey = linesWithKey(presented);
      const revoked = revocationOf(name, sameKey);
      if (revoked) return { verdict: 'revoked', place: placeOf(revoked) };
      const known = sameKey.find((line) => line.marker === 'none' && isFor(line, name.exact));
      if (known) return { verdict: 'known', place: placeOf(known) };

      const recorded = linesOf(name.exact).filter((line) => line.marker === 'none');
      const changed = recorded.find((line) => line.keyType === keyTypeOf(presented));
      if (changed) return { verdict: 'changed', place: placeOf(changed) };
      const plain = sameKey.find((line) => line.marker === 'none' && isFor(line, name.withoutPort));
      if (plain && recorded.length === 0) return { verdict: 'known', place: placeOf(plain) };
      return { verdict: 'unknown', otherTypes: recorded.map(placeOf), certAuthorities: authoritiesOf(name).map(placeOf) };
    },
  };
}

function plainTypes(lines: readonly KnownHostsLine[]): ReadonlySet<string> {
  return new Set(lines.filter((line) => line.marker === 'none').map((line) => line.keyType));
}

function placeOf(line: KnownHostsLine): KnownPlace {
  return { file: line.file, line: line.line, keyType: line.keyType, fingerprint: fingerprintOf(Buffer.from(line.key, 'base64')) };
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
