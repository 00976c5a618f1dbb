/** Loads the case files of this folder and turns their texts into sources. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { toByteText } from '../../src/core/bytes.js';
import type { ByteText } from '../../src/core/bytes.js';
import type { UnitSources } from '../../src/systemd/index.js';
import { environmentFilesOf } from '../../src/systemd/index.js';

export interface ServiceTexts {
  readonly fragment: string;
  /** By name, in load order. */
  readonly dropIns?: Readonly<Record<string, string>>;
  /** Environment files by path; null: does not exist. */
  readonly files?: Readonly<Record<string, string | null>>;
  /** Drop-ins (relative name) or environment files (absolute path), one character per byte. */
  readonly bytes?: Readonly<Record<string, string>>;
}

export function loadCases<T>(name: string): readonly T[] {
  return parse(readFileSync(new URL(`cases/${name}`, import.meta.url), 'utf8')) as readonly T[];
}

export function asByteText(text: string): ByteText {
  return toByteText(Buffer.from(text, 'utf8'));
}

export function sourcesFrom({ fragment, dropIns = {}, files = {}, bytes = {} }: ServiceTexts, unit = 'kubelet.service'): UnitSources {
  const fragmentFile = { path: unit, text: asByteText(fragment) };
  const written = Object.entries(dropIns).map(([path, text]) => ({ path, text: asByteText(text) }));
  const raw = Object.entries(bytes).map(([path, text]) => ({ path, text }));
  const dropInFiles = [...written, ...raw.filter(({ path }) => !path.startsWith('/'))];
  const contents = new Map<string, ByteText>(raw.map(({ path, text }) => [path, text]));
  for (const [path, text] of Object.entries(files)) if (text !== null) contents.set(path, asByteText(text));
  const wanted = environmentFilesOf(fragmentFile, dropInFiles);
  return { unit, fragment: fragmentFile, dropIns: dropInFiles, environmentFiles: new Map(wanted.map(({ path }) => [path, contents.get(path)])) };
}
