import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { decodeConfig, dropInDurationMember, durationMember } from '../../src/kubelet/config-file.js';
import { fileBytes, type FileCase } from './case-file.js';

const KEY = 'streamingConnectionIdleTimeout';
const HEAD = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n';
const JSON_HEAD = '"apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration"';

interface MemberCase {
  readonly json: readonly string[];
  readonly yaml: readonly string[];
  readonly ns?: string;
  readonly error?: string;
  readonly dropIn?: 'removed';
}

function load<T>(name: string): readonly T[] {
  return parse(readFileSync(new URL(name, import.meta.url), 'utf8')) as readonly T[];
}

function decoded(text: string): Record<string, unknown> {
  const result = decodeConfig(Buffer.from(text));
  if (!result.ok) throw new Error(`${JSON.stringify(text)} does not load: ${result.error}`);
  return result.value;
}

describe('a duration in a config file means what it means to the kubelet', () => {
  for (const row of load<MemberCase>('duration-member.cases.yaml')) {
    const files = [...row.json.map((value) => `{${JSON_HEAD},"${KEY}":${value}}`), ...row.yaml.map((value) => `${HEAD}${KEY}:${value}\n`)];
    for (const file of files) {
      it(`${file.split(KEY)[1] ?? ''} is ${row.ns ?? row.error ?? '?'}`, () => {
        const value = decoded(file);
        const member = durationMember(value, KEY);
        if (row.ns !== undefined) expect(member).toMatchObject({ state: 'set', ns: BigInt(row.ns) });
        else expect(member).toMatchObject({ state: 'fatal', error: row.error === '*' ? expect.any(String) : row.error });
        expect(dropInDurationMember(value, KEY)).toEqual(row.dropIn === 'removed' ? { state: 'removed' } : member);
      });
    }
  }

  it('shows the value of a fatal member as JSON', () => {
    expect(durationMember({ [KEY]: 0 }, KEY)).toMatchObject({ shown: '0' });
    expect(durationMember({ [KEY]: null }, KEY)).toMatchObject({ shown: 'null' });
    expect(durationMember({ [KEY]: '1d' }, KEY)).toMatchObject({ shown: '"1d"' });
  });

  it('never finds a member that was inherited', () => {
    expect(durationMember({}, 'constructor')).toEqual({ state: 'absent' });
    expect(dropInDurationMember({}, 'toString')).toEqual({ state: 'absent' });
  });
});

describe('a config file loads exactly when a kubelet could load it', () => {
  for (const row of load<FileCase>('config-file.cases.yaml')) {
    it(row.name, () => {
      const result = decodeConfig(fileBytes(row));
      if (row.fatal !== undefined) {
        expect(result).toEqual({ ok: false, error: expect.stringContaining(row.fatal) as string });
        return;
      }
      expect(result).toMatchObject({ ok: true });
      if (!result.ok) return;
      expect(result.value[KEY] ?? 'absent').toBe(row.loads);
      expect(result.warnings.join('\n')).toEqual(row.warns === undefined ? '' : expect.stringContaining(row.warns));
      if (row.format !== undefined) expect(result.format).toBe(row.format);
    });
  }

  it('a few lines of aliases cannot fill the memory', () => {
    const levels = Array.from({ length: 30 }, (_, level) => `a${level + 1}: &a${level + 1} [${Array<string>(9).fill(`*a${level}`).join(', ')}]`);
    expect(decodeConfig(Buffer.from(`${HEAD}a0: &a0 x\n${levels.join('\n')}\n`))).toMatchObject({ ok: false, error: expect.stringContaining('aliasing') as string });
  });

  it.each(['{"a":', '[', '- '])('%s nested without end is refused, not a crash', (opening) => {
    expect(decodeConfig(Buffer.from(`${opening.startsWith('{') ? '' : 'x: '}${opening.repeat(5_000)}`)).ok).toBe(false);
  });

  it('objects have no prototype, so no key is special', () => {
    const value = decoded(`{${JSON_HEAD},"__proto__":{"polluted":1},"x":{"__proto__":2}}`);
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(Object.keys(value)).toContain('__proto__');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
