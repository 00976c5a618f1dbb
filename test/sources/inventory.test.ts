/** An inventory is read whole or refused with every error and its exact place. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Host } from '../../src/core/host.js';
import { parseInventory } from '../../src/sources/inventory-file.js';
import { errorsOf } from './errors-of.js';

interface Case {
  readonly name: string;
  readonly text: string;
  readonly hosts?: readonly string[];
  readonly errors?: readonly string[];
}

const FILE = '/fleet/hosts.yaml';
/** The home shows that it is never taken for a replacement pattern. */
const PERSON = { home: '/home/$&' };
const folder = new URL('./inventory/', import.meta.url);
const example = new URL('../../inventories/example.yaml', import.meta.url);

function show(host: Host): string {
  const labels = Object.entries(host.labels).map(([key, value]) => `${key}=${value}`).sort();
  const { become, becoming, transport, ssh } = host;
  const more = [becoming, transport, ssh].filter((part) => part !== undefined).map((part) => JSON.stringify(part));
  return [host.name, `${host.user ?? '?'}@${host.address}:${host.port ?? '?'}`, become, host.connectTimeoutMs ?? '?', host.identityFile ?? '-', ...labels, ...more].join(' ');
}

describe.each(readdirSync(folder))('inventory/%s', (file) => {
  const cases = parse(readFileSync(new URL(file, folder), 'utf8')) as Case[];
  it.each(cases)('$name', ({ text, hosts, errors }) => {
    if (errors !== undefined) expect(errorsOf(() => parseInventory(FILE, text, PERSON))).toEqual(errors);
    else expect(parseInventory(FILE, text, PERSON).map(show)).toEqual(hosts);
  });
});

describe('inventory', () => {
  it('the commented example shows what its comments say', () => {
    const hosts = parseInventory('/fleet/example.yaml', readFileSync(example, 'utf8'), PERSON);
    const shown = hosts.map(show);
    expect(shown).toHaveLength(17);
    expect(shown).toContain('node-003.pool-a ops@node-003.pool-a:22 sudo 10000 /home/$&/.ssh/id_ed25519 env=production group=pool-a pool=a zone=eu-1');
    expect(shown).toContain('node-10 admin@10.20.0.10:2222 sudo 90000 /fleet/keys/pool-b env=production group=pool-b pool=b zone=eu-2');
    expect(shown).toContain(`old-2.pool-c ops@old-2.pool-c:22 doas 10000 /home/$&/.ssh/id_ed25519 env=production group=pool-c ${JSON.stringify({ config: 'none', proxyJump: 'none', certificateFile: '/fleet/keys/ops-cert.pub', hostKeyAlias: 'old-2', password: { from: 'prompt' } })}`);
    expect(shown).toContain('gpu-1 root@fd00:20::31:22 none 90000 /fleet/keys/pool-b env=staging group=pool-b pool=gpu');
  });

  it('nesting that would overflow the stack is refused, not tried', () => {
    for (const text of ['['.repeat(100_000), '- '.repeat(100_000), 'a: {'.repeat(50_000), `${'? '.repeat(50_000)}a`]) {
      expect(errorsOf(() => parseInventory(FILE, text, PERSON))).toEqual([expect.stringContaining('expected at most 100 levels of nesting')]);
    }
  });

  it('thirty thousand errors in one mapping are found in one pass', () => {
    const text = Array.from({ length: 30_000 }, (_, index) => `k${index}: 1\n`).join('');
    expect(errorsOf(() => parseInventory(FILE, text, PERSON)).at(-1)).toBe('and 29001 more');
  });

  it('garbage never throws anything but bad input', () => {
    const words = fc.constantFrom('groups', 'hosts', 'defaults', 'a', ':', ': ', '- ', '\n', '\n  ', '[', ']', '{', '}', ', ', '&x ', '*x', '!!str ', '"', "'", '|\n', '%', '#', '<<', '~', '1', '\t', '\r', '\0', '\ufeff', '---\n', '...', '? ', 'node-[1:3]', '`', '@');
    const garbage = fc.oneof(fc.array(fc.oneof(words, fc.string({ maxLength: 3, unit: 'binary' })), { maxLength: 60 }).map((parts) => parts.join('')), fc.json());
    fc.assert(fc.property(garbage, (text) => {
      expect(Array.isArray(errorsOf(() => parseInventory(FILE, text, PERSON)))).toBe(true);
    }), { numRuns: 1500 });
  });

  it('values of any type in any place never throw anything but bad input', () => {
    const value = fc.anything({ withNullPrototype: false, withMap: false, withSet: false, withDate: false, withBigInt: false, maxDepth: 1, size: 'xsmall' });
    const key = fc.constantFrom('user', 'port', 'identityFile', 'become', 'connectTimeout', 'labels', 'transport', 'ssh', 'proxyJump', 'password', 'method', 'hosts', 'name', 'address', 'x');
    const mapping = fc.dictionary(key, fc.oneof(value, fc.array(fc.oneof(value, fc.dictionary(key, value)), { maxLength: 4 })));
    fc.assert(fc.property(fc.record({ defaults: mapping, groups: fc.dictionary(fc.string({ maxLength: 5 }), mapping) }, { requiredKeys: [] }), (tree) => {
      expect(Array.isArray(errorsOf(() => parseInventory(FILE, JSON.stringify(tree), PERSON)))).toBe(true);
    }), { numRuns: 200 });
  });
});
