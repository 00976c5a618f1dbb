/** What fleetmend says of itself holds no secret, so nothing of it is hidden: advice with a hole in it helps nobody. */
import { readFileSync, readdirSync } from 'node:fs';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { redactText } from '../../src/core/redact.js';

const SOURCES = new URL('../../src/', import.meta.url);
/** What stands where a text has a value. */
const VALUES = ['word', '`word`', '/etc/some/file', '12'];

function textsIn(file: string): string[] {
  const texts: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) texts.push(node.text);
    if (ts.isTemplateExpression(node)) texts.push(...VALUES.map((value) => node.head.text + node.templateSpans.map((span) => value + span.literal.text).join('')));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(new URL(file, SOURCES), 'utf8'), ts.ScriptTarget.Latest));
  return texts;
}

it('no sentence of the sources is taken for a secret', () => {
  // Shell text is not said to anybody.
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts') && !file.endsWith('.sh.ts'));
  const sentences = files.flatMap(textsIn).filter((text) => text.includes(' '));
  expect(sentences.length).toBeGreaterThan(1_000);
  expect(sentences.filter((text) => redactText(text) !== text)).toEqual([]);
});
