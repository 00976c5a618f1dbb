/** A target expression selects exactly what its grammar says, or says why it selects nothing. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FleetmendError } from '../../src/core/failure.js';
import { matchGlob, parseGlob } from '../../src/core/glob.js';
import type { Host } from '../../src/core/host.js';
import { selectHosts } from '../../src/core/select-hosts.js';

interface Case {
  readonly limit: string | readonly string[];
  readonly selects?: readonly string[];
  readonly error?: string;
}

const text = readFileSync(new URL('./select-hosts/cases.yaml', import.meta.url), 'utf8');
const { hosts: lines, cases } = parse(text) as { hosts: string[]; cases: Case[] };
const hosts = lines.map(makeHost);

function makeHost(line: string): Host {
  const [name = '', ...labels] = line.split(' ');
  const pairs = labels.map((label) => label.split('='));
  return { name, address: name, port: 22, user: 'ops', become: 'none', connectTimeoutMs: 1000, labels: Object.fromEntries(pairs) as Record<string, string> };
}

function select(limit: Case['limit']): Pick<Case, 'selects' | 'error'> {
  try {
    return { selects: selectHosts(hosts, limit).map((host) => host.name) };
  } catch (thrown) {
    if (!(thrown instanceof FleetmendError)) throw thrown;
    expect(thrown.failure.kind).toBe('badInput');
    return { error: thrown.failure.summary };
  }
}

describe('selectHosts', () => {
  it.each(cases)('$limit', ({ limit, ...result }) => {
    expect(select(limit)).toEqual(result);
  });

  it('never returns an empty choice and never throws anything but bad input, whatever is typed', () => {
    const typed = fc.array(fc.oneof(fc.constantFrom('!', ',', '=', '*', '?', '[', ']', 'node', '-', '0', 'pool', ' ', '\\', '(', '+'), fc.string({ maxLength: 2 })));
    fc.assert(fc.property(typed, (parts) => {
      const { selects, error } = select(parts.join(''));
      expect(selects === undefined ? error : selects.length).toBeTruthy();
    }), { numRuns: 1000 });
  });

  it('a term and its exclusion together are the whole inventory', () => {
    fc.assert(fc.property(fc.constantFrom('node-*', 'pool=a', 'node-00[12]', '*1*', 'zone=eu-?'), (term) => {
      expect([...(select(term).selects ?? []), ...(select(`!${term}`).selects ?? [])].sort()).toEqual(hosts.map((host) => host.name).sort());
    }));
  });

  it('a glob full of stars takes no more steps than pattern times name', () => {
    const parsed = parseGlob(`${'*a'.repeat(2000)}b`);
    expect(parsed.ok && matchGlob(parsed.glob, 'a'.repeat(5000))).toBe(false);
  });

  it('refuses an expression that is too long to be one', () => {
    expect(select('a'.repeat(10_001)).error).toBe('--limit: expected at most 10000 characters, got 10001');
  });
});
