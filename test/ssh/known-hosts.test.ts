/** known_hosts as OpenSSH reads it: cases as data, and ssh-keygen as the judge of generated files. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { hashedName, matchesHostField } from '../../src/ssh/host-patterns.js';
import { createKnownHosts, lookupNameOf, parseKnownHosts } from '../../src/ssh/known-hosts.js';
import { createScratch } from './scratch.js';

interface Case {
  readonly name: string;
  readonly text: string;
  readonly address: string;
  readonly port?: number;
  readonly alias?: string;
  readonly key: string;
  readonly expect: string;
  readonly others?: readonly number[];
  readonly authorities?: readonly number[];
  readonly unreadable?: readonly number[];
}

const { keys, cases } = parse(readFileSync(new URL('known-hosts.cases.yaml', import.meta.url), 'utf8')) as { keys: Record<string, string>; cases: Case[] };

const blobOf = (key: string): Buffer => Buffer.from(keys[key]?.split(' ')[1] ?? '', 'base64');

it.each(cases)('$name', (given) => {
  const parsed = parseKnownHosts(given.text.replace(/\{(\w+)\}/g, (_, key: string) => keys[key] ?? ''), 'FILE');
  const known = createKnownHosts();
  known.add(parsed.lines);
  const name = lookupNameOf(given.address, given.port ?? 22, given.alias);
  const verdict = known.judge(name, blobOf(given.key));
  expect(verdict.verdict === 'unknown' ? 'unknown' : `${verdict.verdict} ${verdict.place.line}`).toBe(given.expect);
  if (verdict.verdict === 'unknown') {
    expect(verdict.otherTypes.map((place) => place.line)).toEqual(given.others ?? []);
    expect(verdict.certAuthorities.map((place) => place.line)).toEqual(given.authorities ?? []);
    expect(known.hasAuthority(name)).toBe(given.authorities !== undefined);
  }
  expect(parsed.unreadableLines).toEqual(given.unreadable ?? []);
});

it('types of unhashed lines are found without the hashed ones, all types with them', () => {
  const known = createKnownHosts();
  known.add(parseKnownHosts(`db.example ${keys['rsa1']}\n*.example ${keys['ec1']}\n|1|8Yu8roDAm3kjG/eyFmVASHgrxDE=|UpNPqm4ggpwOfSR6ztlNwXsNAAA= ${keys['ed1']}`, 'FILE').lines);
  const name = lookupNameOf('db.example', 22);
  expect([...known.typesUnhashed(name)]).toEqual(['ssh-rsa', 'ecdsa-sha2-nistp256']);
  expect([...known.types(name)]).toEqual(['ssh-rsa', 'ecdsa-sha2-nistp256', 'ssh-ed25519']);
});

it('a name that we hash is hashed as ssh-keygen does it, with another salt each time', () => {
  const given = '|1|8Yu8roDAm3kjG/eyFmVASHgrxDE=|UpNPqm4ggpwOfSR6ztlNwXsNAAA=';
  expect(hashedName('db.example', Buffer.from(given.split('|')[2] ?? '', 'base64'))).toBe(given);
  expect(hashedName('db.example')).not.toBe(hashedName('db.example'));
});

it('lines match the names that `ssh-keygen -F` finds, plain and hashed', () => {
  const scratch = createScratch();
  const names = ['db.example', 'web.example', '10.0.0.5', '[db.example]:2222', '[10.0.0.5]:2222', 'fd00::7', 'a'];
  const piece = fc.oneof(fc.constantFrom(...names, '*.example', '10.0.0.?', '*', '[*]:2222', '[10.*]:2222', '?', 'DB.Example'));
  const field = fc.array(fc.tuple(fc.boolean(), piece), { minLength: 1, maxLength: 3 }).map((parts) => parts.map(([negated, name]) => `${negated ? '!' : ''}${name}`).join(','));
  const lead = fc.constantFrom('', '', '', '@revoked ', '@cert-authority ', ' ', '\t');
  const tail = fc.constantFrom('', ' comment', '\r');
  const line = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(lead, field, tail).map(([before, hosts, after]) => `${before}${hosts} ${keys['ed1']}${after}`) },
    { weight: 1, arbitrary: fc.constantFrom('', '# db.example', '@nothing db.example', 'a', 'a ssh-ed25519', '@revoked') },
  );
  const plain = fc.array(line, { minLength: 1, maxLength: 12 });
  let compared = 0;
  try {
    fc.assert(
      fc.property(plain, fc.constantFrom(...names), fc.boolean(), (lines, name, hashed) => {
        const file = scratch.write('known_hosts', lines.map((text) => `${text}\n`).join(''));
        if (hashed) spawnSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' }); // leaves a file with an unreadable line as it is
        expect(linesByUs(file, name)).toEqual(linesByKeygen(file, name));
        compared += 1;
      }),
      { numRuns: Number(process.env['RUNS'] ?? 60) },
    );
  } finally {
    scratch.remove();
  }
  expect(compared).toBeGreaterThan(0);
});

function linesByUs(file: string, name: string): number[] {
  return parseKnownHosts(readFileSync(file, 'utf8'), file).lines.filter((line) => matchesHostField(line.hosts, name)).map((line) => line.line);
}

function linesByKeygen(file: string, name: string): number[] {
  let output: string;
  try {
    output = execFileSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8' });
  } catch {
    return []; // exit 1: found nowhere
  }
  return [...output.matchAll(/found: line (\d+)/g)].map((match) => Number(match[1]));
}
