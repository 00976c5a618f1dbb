/** `rollout:` of a playbook and the flags over it are checked whole when the playbook is loaded: nothing wrong in them is found in the middle of a rollout. */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Rollout } from '../../src/core/rollout.js';
import { DEFAULT_ROLLOUT } from '../../src/rollout/default-rollout.js';
import { planRollout } from '../../src/rollout/plan-rollout.js';
import { loadPlaybook } from '../../src/sources/playbook-file.js';
import { errorsOf } from './errors-of.js';
import { SMALL_CATALOGUE } from './small-catalogue.js';

interface Case {
  readonly name: string;
  /** What the playbook begins with. */
  readonly text?: string;
  readonly flags?: Record<string, string>;
  readonly errors?: readonly string[];
  /** What differs from the default; `null`: absent. */
  readonly rollout?: Readonly<Record<string, unknown>>;
}

const CONTROL = 'control: { id: i, benchmark: b, title: t, level: 1, description: d, impact: i, defaultValue: v, audit: a, remediation: r }';
const REST = `name: p\n${CONTROL}\naudit: { look: { at: x } }\nsteps: [{ check: }]\n`;

function load(text: string, flags?: Record<string, string>): Rollout {
  const begin = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return loadPlaybook('p.yaml', begin + REST, SMALL_CATALOGUE, {}, flags).rollout;
}

const readCases = (name: string): Case[] => parse(readFileSync(new URL(`./rollout/${name}.yaml`, import.meta.url), 'utf8')) as Case[];

describe('rollout', () => {
  it.each(readCases('values'))('$name', ({ text = '', flags, rollout }) => {
    expect(load(text, flags)).toEqual({ ...DEFAULT_ROLLOUT, ...rollout });
  });

  it.each(readCases('errors'))('refused: $name', ({ text = '', flags, errors }) => {
    expect(errorsOf(() => load(text, flags))).toEqual(errors);
  });

  it('a playbook that is loaded without flags has the same rollout as one with no flag given', () => {
    expect(load('rollout: { within: 5 }', {})).toEqual(loadPlaybook('p.yaml', `rollout: { within: 5 }\n${REST}`, SMALL_CATALOGUE, {}).rollout);
  });

  it('anything at any key, in the file or as a flag, is refused with its place or can be planned with', () => {
    const scalars = fc.oneof(
      fc.constantFrom('none', '5%', '100%', '3', 'after 1', 'after every wave', 'halt', '02:00', '30s', 'zone', 'Europe/Berlin', '', '0', '%', '-1', '1e9', '__proto__', 'zone=2', 'a=1,a=2', '1,5%,100%'),
      fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.string(),
    );
    const keys = fc.constantFrom('waves', 'within', 'canary', 'order', 'budget', 'onStop', 'soak', 'gate', 'pause', 'window', 'hooks', 'by', 'run', 'per', 'from', 'to', 'days', 'timeZone', 'timeout', 'beforeHost', '__proto__', 'constructor');
    const values = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, scalars, fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(keys, tie('value'), { maxKeys: 4 })),
    })).value;
    const flags = fc.dictionary(fc.constantFrom('waves', 'within', 'canary', 'order', 'budget', 'budget-per', 'on-stop', 'soak', 'pause', 'window', 'gate', 'hooks', 'x', 'constructor'), scalars.map(String), { maxKeys: 4 });
    fc.assert(fc.property(fc.dictionary(keys, values, { maxKeys: 6 }), flags, (rollout, given) => {
      let loaded: Rollout | undefined;
      const errors = errorsOf(() => { loaded = load(`rollout: ${JSON.stringify(rollout)}`, given); });
      for (const error of errors) expect(error).toMatch(/^(?:p\.yaml:1:\d+: rollout(?:\/|:)|--)/u);
      if (loaded !== undefined) planRollout(loaded, [{ name: 'n1', labels: {}, change: 'c' }], 1);
    }), { numRuns: 400 });
  });
});
