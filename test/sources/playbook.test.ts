/** A playbook is checked whole when it is loaded: nothing wrong in it is found later, on a host. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadPlaybook } from '../../src/sources/playbook-file.js';
import { errorsOf } from './errors-of.js';
import { SMALL_CATALOGUE } from './small-catalogue.js';

interface Case {
  readonly name: string;
  readonly text: string;
  readonly set?: Record<string, string>;
  readonly errors?: readonly string[];
  readonly parameters?: unknown;
  readonly audit?: unknown;
  readonly steps?: unknown;
  readonly guard?: unknown;
  readonly secrets?: unknown;
}

const FILE = '/books/p.yaml';
const CONTROL = 'control: { id: i, benchmark: b, title: t, level: 1, description: d, impact: i, defaultValue: v, audit: a, remediation: r }';
const folder = new URL('./playbook/', import.meta.url);

function load(text: string, set: Record<string, string> = {}) {
  return loadPlaybook(FILE, text.replace('CONTROL', () => CONTROL), SMALL_CATALOGUE, set);
}

describe.each(readdirSync(folder))('playbook/%s', (file) => {
  const cases = parse(readFileSync(new URL(file, folder), 'utf8')) as Case[];
  it.each(cases)('$name', ({ text, set, errors, parameters, audit, steps, guard = { marginMs: 90_000 }, secrets = { names: [], values: [] } }) => {
    if (errors !== undefined) expect(errorsOf(() => load(text, set))).toEqual(errors);
    else expect(load(text, set)).toMatchObject({ name: 'p', parameters, audit, steps, guard, secrets });
  });
});

describe('playbook', () => {
  it('the control is kept as it was written, ${...} and all', () => {
    const text = `name: p\n${CONTROL.replace('audit: a', 'audit: "curl ${HOST}/x"')}\naudit: { look: { at: x } }\nsteps: [{ check: }]`;
    expect(load(text).control).toEqual({
      id: 'i', benchmark: 'b', title: 't', level: 1, description: 'd', impact: 'i', defaultValue: 'v', audit: 'curl ${HOST}/x', remediation: 'r',
    });
  });

  it('no order of phases but changes, activations, checks is ever accepted', () => {
    const phases = ['edit: { path: /a, value: v }', 'reload: {}', 'check: {}'];
    fc.assert(fc.property(fc.array(fc.nat(2), { minLength: 1, maxLength: 8 }), (order) => {
      const text = `name: p\nCONTROL\naudit: { look: { at: x } }\nsteps:\n${order.map((phase) => `  - ${phases[phase] ?? ''}\n`).join('')}`;
      const isSorted = order.every((phase, index) => index === 0 || phase >= (order[index - 1] ?? 0));
      expect(errorsOf(() => load(text)).length === 0).toBe(isSorted);
    }));
  });

  it('garbage never throws anything but bad input', () => {
    const words = fc.constantFrom('name: p\n', 'CONTROL\n', 'parameters:', 'audit:', 'steps:', 'look', 'edit', 'check', ': ', '- ', '\n', '\n  ', '{', '}', '[', ']', '"', '${', '${timeout}', '}', '&x ', '*x', 'timeout', 'default: 1h', ', ');
    const garbage = fc.array(fc.oneof(words, fc.string({ maxLength: 3, unit: 'binary' })), { maxLength: 50 }).map((parts) => parts.join(''));
    fc.assert(fc.property(garbage, fc.dictionary(fc.string(), fc.string()), (text, set) => {
      expect(errorsOf(() => load(text, set))).not.toEqual([]);
    }), { numRuns: 800 });
  });

  it('values of any type in any place never throw anything but bad input', () => {
    const value = fc.anything({ maxDepth: 2, size: 'xsmall', withBigInt: false });
    const tree = fc.record({ name: value, control: value, parameters: value, audit: fc.oneof(value, fc.dictionary(fc.constant('look'), value)), steps: fc.array(fc.oneof(value, fc.dictionary(fc.constantFrom('edit', 'check', 'x'), value)), { maxLength: 3 }) });
    fc.assert(fc.property(tree, (playbook) => {
      expect(errorsOf(() => load(JSON.stringify(playbook)))).not.toEqual([]);
    }), { numRuns: 200 });
  });
});
