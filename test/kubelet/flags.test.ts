import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { BOOLEAN_FLAGS } from '../../src/kubelet/boolean-flags.js';
import { flagUses, lastFlag, parseFlags, type FlagUse } from '../../src/kubelet/flags.js';

type Use = readonly [name: string, value: string, at: number, words: number];

interface FlagsCase {
  readonly name: string;
  readonly argv: readonly string[];
  readonly uses: readonly Use[];
  readonly positional?: readonly string[];
  readonly error?: string;
  readonly last?: Use;
}

function row(use: FlagUse): Use {
  return [use.name, use.value, use.at, use.words];
}

describe('a command line is read as the kubelet reads it', () => {
  for (const { name, argv, uses, positional, error, last } of parse(readFileSync(new URL('flags.cases.yaml', import.meta.url), 'utf8')) as readonly FlagsCase[]) {
    it(name, () => {
      const parsed = parseFlags(argv);
      expect(parsed.flags.map(row)).toEqual(uses);
      expect(parsed.positional).toEqual(positional ?? []);
      if (error === undefined) expect(parsed.error).toBeUndefined();
      else expect(parsed.error).toContain(error);
      if (last !== undefined) expect(lastFlag(parsed, last[0])).toMatchObject({ name: last[0], value: last[1], at: last[2], words: last[3] });
    });
  }

  it('a flag is found by either spelling of its name', () => {
    const parsed = parseFlags(['--node_ip=1', '--x=2', '--node-ip', '3']);
    expect(flagUses(parsed, 'node-ip').map(row)).toEqual([['node-ip', '1', 0, 1], ['node-ip', '3', 2, 2]]);
    expect(flagUses(parsed, 'node_ip')).toEqual(flagUses(parsed, 'node-ip'));
    expect(lastFlag(parsed, 'absent')).toBeUndefined();
  });

  it('every boolean flag is listed by its normal name', () => {
    expect([...BOOLEAN_FLAGS].filter((name) => !/^[a-z][a-z0-9-]*$/.test(name))).toEqual([]);
  });
});
