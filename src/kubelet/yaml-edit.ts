/**
 * Where to set one top-level member of a YAML config: the first document's ranges, never its re-printed text, so that
 * comments, quotes and layout of everything else stay. Proposes; the caller proves.
 */
import { isCollection, isMap, isNode, isPair, isScalar, type CST, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { endOfLine, indentAt, insertIntoFlow, insertion, quoted, type FlowPlace, type Splice, type Ways } from './config-splice.js';
import { parseYaml } from './yaml-document.js';
import { resolveScalar } from './yaml-scalar.js';

export function waysToSetInYaml(text: string, key: string, value: string): Ways {
  const parsed = parseYaml(text);
  if (!parsed.ok) return { ok: false, reason: parsed.error };
  const map = parsed.doc?.contents;
  if (!isMap(map)) return { ok: false, reason: 'the top of the document is not a plain mapping' };
  const uses = map.items.filter((pair) => isScalar(pair.key) && keyText(pair.key) === key);
  if (uses.length > 1) return { ok: false, reason: `the key ${key} is there ${uses.length} times` };
  const [use] = uses;
  if (use !== undefined) return waysToReplace(text, use, quoted(value));
  return map.flow === true ? waysToInsertInFlow(text, map, key, value) : waysToInsertInBlock(text, map, key, value);
}

function waysToReplace(text: string, pair: Pair, literal: string): Ways {
  const source = pair.srcToken;
  const colon = source?.sep?.find((token) => token.type === 'map-value-ind');
  if (source?.sep === undefined || colon === undefined) return { ok: false, reason: 'the key stands without a colon' };
  const afterColon = colon.offset + colon.source.length;
  const marks = source.sep.filter((token) => token.type === 'anchor' || token.type === 'tag');
  const token = source.value;
  const isEmpty = token === undefined || (token.type === 'scalar' && token.source === '');
  if (isEmpty) return { ok: true, ways: waysOverNothing(afterColon, marks, literal) };
  const start = isNode(pair.value) ? pair.value.range?.[0] : undefined;
  const end = endOf(pair.value);
  if (start === undefined || end === undefined) return { ok: false, reason: 'the value has no place in the file' };
  const marksStart = marks[0]?.offset;
  if (token.type === 'block-scalar') return { ok: true, ways: waysOverBlockScalar(text, token, end, marksStart, literal) };
  const ways: Splice[][] = [[{ start, end, text: literal }]];
  if (marksStart !== undefined) ways.push([{ start: marksStart, end, text: literal }]);
  // A list at the key's own column cannot become a scalar where it stands.
  if (isCollection(pair.value) && /^\s*$/.test(text.slice(afterColon, start))) ways.push([{ start: afterColon, end, text: ` ${literal}` }]);
  return { ok: true, ways };
}

/** `key:`, perhaps with an anchor or a tag behind it: they stay if they can. */
function waysOverNothing(afterColon: number, marks: readonly CST.SourceToken[], literal: string): Splice[][] {
  const [first] = marks;
  const last = marks.at(-1);
  if (first === undefined || last === undefined) return [[insertion(afterColon, ` ${literal}`)]];
  const marksEnd = last.offset + last.source.length;
  return [[insertion(marksEnd, ` ${literal}`)], [{ start: first.offset, end: marksEnd, text: literal }]];
}

/** The header becomes the string, a comment on its line stays, the lines of the text go. */
function waysOverBlockScalar(text: string, token: CST.BlockScalar, end: number, markStart: number | undefined, literal: string): Splice[][] {
  const header = token.props.find((prop) => prop.type === 'block-scalar-header');
  if (header === undefined || !('source' in header)) return [];
  const headerEnd = header.offset + header.source.length;
  const lineEnd = headerEnd + (/[\r\n]/.exec(text.slice(headerEnd))?.index ?? text.length - headerEnd);
  const body = token.source.trimEnd();
  const bodyEnd = body === '' ? lineEnd : end - token.source.length + body.length;
  const removal: Splice = { start: lineEnd, end: bodyEnd, text: '' };
  const starts = markStart === undefined ? [header.offset] : [header.offset, markStart];
  return starts.map((start) => [{ start, end: headerEnd, text: literal }, removal]);
}

function waysToInsertInBlock(text: string, map: YAMLMap, key: string, value: string): Ways {
  const last = map.items.at(-1);
  const keyStart = isNode(last?.key) ? last.key.range?.[0] : undefined;
  const end = endOf(last);
  if (keyStart === undefined || end === undefined) return { ok: false, reason: 'the last member has no place in the file' };
  const indent = indentAt(text, keyStart);
  const line = `${indent}${keyLiteral(key)}: ${quoted(value)}`;
  const at = startOfNextLine(text, end, indent.length);
  const eol = endOfLine(text);
  const onNewLine = at > 0 && /[\r\n]/.test(text[at - 1] ?? '');
  return { ok: true, ways: [[insertion(at, onNewLine ? `${line}${eol}` : `${eol}${line}`)]] };
}

/** Past the rest of the line at `end` and past comments that are indented deeper than the members: they belong to the last one. */
function startOfNextLine(text: string, end: number, indent: number): number {
  let at = end;
  if (!/[\r\n]/.test(text[end - 1] ?? '')) at += /^[^\r\n]*(?:\r\n|\n|\r)?/.exec(text.slice(end))?.[0].length ?? 0;
  for (;;) {
    const comment = /^([ \t]*)#[^\r\n]*(?:\r\n|\n|\r|$)/.exec(text.slice(at));
    if (comment === null || (comment[1] ?? '').length <= indent) return at;
    at += comment[0].length;
  }
}

function waysToInsertInFlow(text: string, map: YAMLMap, key: string, value: string): Ways {
  const source = map.srcToken;
  const last = map.items.at(-1);
  const lastKeyStart = isNode(last?.key) ? last.key.range?.[0] : undefined;
  const lastValueEnd = endOf(last);
  if (source?.type !== 'flow-collection' || last === undefined || lastKeyStart === undefined || lastValueEnd === undefined) {
    return { ok: false, reason: 'the last member has no place in the file' };
  }
  const trailing = source.items.at(-1);
  const comma = trailing?.key === undefined ? trailing?.start.find((token) => token.type === 'comma') : undefined;
  const from = comma === undefined ? lastValueEnd : comma.offset + 1;
  const comment = /^[ \t]*#[^\r\n]*/.exec(text.slice(from));
  const place: FlowPlace = {
    lastKeyStart,
    lastValueEnd,
    ...(comma === undefined ? {} : { trailingComma: comma.offset }),
    ...(comment === null ? {} : { commentEnd: from + comment[0].length }),
  };
  const written = isScalar(last.key) && last.key.type === 'QUOTE_DOUBLE' ? quoted(key) : keyLiteral(key);
  return { ok: true, ways: [insertIntoFlow(text, place, `${written}: ${quoted(value)}`)] };
}

/** Where the text of a node or pair ends, without the comments and line ends behind it. */
function endOf(part: unknown): number | undefined {
  if (isPair(part)) return endOf(part.value) ?? endOf(part.key);
  if (isCollection(part) && part.flow !== true && part.items.length > 0) return endOf(part.items.at(-1));
  return isNode(part) ? part.range?.[1] : undefined;
}

function keyText(key: Scalar): unknown {
  const resolved = resolveScalar(String(key.value ?? ''), key.type === 'PLAIN', key.tag);
  return resolved.ok ? resolved.value : undefined;
}

/** Plain where it stays a string. */
function keyLiteral(key: string): string {
  const resolved = resolveScalar(key, true, undefined);
  return /^[A-Za-z][A-Za-z0-9_-]*$/.test(key) && resolved.ok && resolved.value === key ? key : quoted(key);
}
