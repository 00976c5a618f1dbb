/** Each line of the tables about systemd's grammars, as data. */
import { describe, expect, it } from 'vitest';
import { readableText } from '../../src/core/bytes.js';
import { parseEnvironmentFile } from '../../src/systemd/environment-file.js';
import { predictCommandLine } from '../../src/systemd/index.js';
import { readServiceSettings } from '../../src/systemd/service-settings.js';
import { asByteText, loadCases, sourcesFrom } from './case-files.js';

type Variables = Readonly<Record<string, string>>;
interface EnvironmentCase { name: string; unit?: string; lines?: string; text?: string; variables: Variables; lost?: number }
interface EnvironmentFileCase { name: string; text: string; variables: Variables; lost?: number }
interface ExecStartCase { name: string; line: string; variables: Variables; program?: string; words?: string[]; refused?: string }

describe('Environment=', () => {
  for (const test of loadCases<EnvironmentCase>('environment.yaml')) {
    it(test.name, () => {
      const text = asByteText(test.text ?? `[Service]\n${test.lines ?? ''}\n`);
      const unit = test.unit ?? 'kubelet.service';
      const start = { path: 'start', text: '[Service]\nExecStart=/k\n' };
      const settings = readServiceSettings(unit, start, [{ path: 'under-test', text }]);
      const variables = Object.fromEntries([...settings.variables].map(([name, { value }]) => [name, readableText(value.text)]));
      expect(variables).toEqual(test.variables);
      expect(settings.ignored, settings.ignored.join('\n')).toHaveLength(test.lost ?? 0);
    });
  }
});

describe('EnvironmentFile=', () => {
  for (const test of loadCases<EnvironmentFileCase>('environment-file.yaml')) {
    it(test.name, () => {
      const { assignments, ignored } = parseEnvironmentFile(asByteText(test.text));
      const variables = Object.fromEntries(assignments.map(({ name, value }) => [name, readableText(value.text)]));
      expect(variables).toEqual(test.variables);
      expect(ignored).toHaveLength(test.lost ?? 0);
    });
  }
});

describe('ExecStart=', () => {
  for (const test of loadCases<ExecStartCase>('exec-start.yaml')) {
    it(test.name, () => {
      const quote = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('%', '%%')}'`;
      const environment = Object.entries(test.variables).map(([name, value]) => `Environment=${quote(`${name}=${value}`)}\n`).join('');
      const prediction = predictCommandLine(sourcesFrom({ fragment: `[Service]\n${environment}ExecStart=${test.line}\n` }));
      if (test.refused !== undefined) {
        expect(prediction.wouldNotStart).toContain(test.refused);
        expect(prediction.words).toEqual([]);
        return;
      }
      expect(prediction.wouldNotStart).toBeUndefined();
      expect(prediction.words.map(({ value }) => value)).toEqual([test.program ?? '/bin/x', ...(test.words ?? [])]);
    });
  }
});
