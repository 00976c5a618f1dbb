/** A secret that is known stands in no text, whole or cut: cases as data, and every cut of one text. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { cleanLine, cleanText, cutText, markCut } from '../../src/core/clean-text.js';
import { hideKnown, shownForms } from '../../src/core/known-secrets.js';
import { redactText } from '../../src/core/redact.js';
import { boundedText } from '../../src/host/visit-failures.js';
import { quotePeer } from '../../src/ssh/failures.js';

interface Case {
  readonly name: string;
  readonly values: readonly string[];
  readonly text: string;
  readonly shown: string;
}

const cases = parse(readFileSync(new URL('known-secrets.cases.yaml', import.meta.url), 'utf8')) as Case[];

it.each(cases)('$name', ({ values, text, shown }) => {
  expect(hideKnown(text, values)).toBe(shown);
  expect(hideKnown(hideKnown(text, values), values)).toBe(shown);
  expect(redactText(text, { names: [], values })).toBe(shown);
});

const SECRET = 'Zq7Kp2  Wm9Xv4-ä8';
const characters = [...cleanLine(SECRET)];
const pieces = Array.from({ length: characters.length - 5 }, (_, at) => characters.slice(at, at + 6).join(''));
const peers: Readonly<Record<string, (text: string) => string>> = {
  'a quote on one line': quotePeer,
  'a quote of bytes': (text) => quotePeer(Buffer.from(text).toString('latin1')),
  'what a shell printed': (text) => {
    const kept = boundedText();
    kept.add(Buffer.from(text));
    return kept.text();
  },
  'a detail of an answer': (text) => cleanText(cutText(text, 4_096).trim()),
};

it.each(Object.entries(peers))('%s shows no six characters of it, wherever it is cut', (_, quote) => {
  const values = shownForms(SECRET);
  for (let before = 0; before <= SECRET.length + 1; before += 1) {
    const shown = hideKnown(quote(`${'x'.repeat(before)} ${`${SECRET}\u0007 `.repeat(1_100)}`), values);
    expect(pieces.filter((piece) => shown.includes(piece)), shown.slice(-40)).toEqual([]);
  }
});

it('it is found in the forms that it has after cleaning, folding and decoding', () => {
  for (const form of [SECRET, cleanText(SECRET), cleanLine(SECRET), quotePeer(SECRET), quotePeer(Buffer.from(SECRET).toString('latin1'))]) expect(shownForms(SECRET)).toContain(form);
});

it('half a character is cut off too', () => {
  expect(cutText('ab\u{1f600}', 3)).toBe('ab...');
  expect(markCut('ab\ufffd')).toBe('ab...');
  expect(cutText('abc', 3)).toBe('abc');
});
