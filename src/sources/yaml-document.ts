/**
 * A YAML file as plain values in which every value still knows its line and column.
 * Never resolves tags, merge keys or endless aliases: what cannot be read plainly is an error with its place.
 */
import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type Document, type Pair, type ParsedNode, Parser, type YAMLMap } from 'yaml';
import type { InputError } from '../core/input-error.js';
import { convertNodes } from './yaml-values.js';

export type ValuePath = readonly (string | number)[];

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface YamlDocument {
  readonly file: string;
  /** Null-prototype objects, arrays and scalars. Undefined for an empty file. */
  readonly value: unknown;
  /** Place of a value, or of the last key of the path; of the nearest enclosing value when there is no such value. */
  positionOf(path: ValuePath, part?: 'key' | 'value'): Position;
}

export type ParsedYamlDocument = { readonly ok: true; readonly document: YamlDocument } | { readonly ok: false; readonly errors: readonly InputError[] };

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The parser recurses, so deeper nesting would overflow the stack and end the process. */
const MAX_NESTING = 100;

export function parseYamlDocument(file: string, text: string): ParsedYamlDocument {
  const lines = new LineCounter();
  const errorAt = (offset: number, expected: string, got?: string, path = ''): InputError => {
    return { file, ...placeOf(lines, offset), path, expected, ...(got === undefined ? {} : { got }) };
  };
  const composed = composeDocuments(text, lines);
  if (!composed.ok) return { ok: false, errors: [errorAt(composed.offset, `at most ${MAX_NESTING} levels of nesting`)] };
  const [first, second] = composed.documents;
  const errors = [...(first?.errors ?? []), ...(first?.warnings ?? [])].map((fault) => {
    return errorAt(fault.pos[0], 'valid YAML', lowerFirst(fault.message));
  });
  if (second !== undefined) errors.push(errorAt(second.range[0], 'one YAML document', 'a second one'));
  if (first === undefined || errors.length > 0) return errors.length > 0 ? { ok: false, errors } : empty(file);
  const root = first.contents;
  const converted = convertNodes(root);
  if (converted.faults.length > 0) {
    return { ok: false, errors: converted.faults.map((fault) => errorAt(fault.offset, fault.expected, fault.got, fault.path.join('/'))) };
  }
  const tree: Tree = { root, targets: converted.targets, pairs: new Map() };
  const offsetOf = (path: ValuePath, part: 'key' | 'value') => offsetAt(tree, path, part);
  return { ok: true, document: { file, value: converted.value, positionOf: (path, part = 'value') => placeOf(lines, offsetOf(path, part)) } };
}

type Composed = { readonly ok: true; readonly documents: readonly Document.Parsed<ParsedNode>[] } | { readonly ok: false; readonly offset: number };

function composeDocuments(text: string, lines: LineCounter): Composed {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const tokens = [];
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (parser.stack.length > MAX_NESTING) return { ok: false, offset: parser.offset };
  }
  for (const token of parser.end()) tokens.push(token);
  // Duplicate keys are found by convertNodes: it names both places, and the library's own search is quadratic.
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false, stringKeys: true, logLevel: 'silent' });
  return { ok: true, documents: [...composer.compose(tokens, true, text.length)] };
}

function empty(file: string): ParsedYamlDocument {
  return { ok: true, document: { file, value: undefined, positionOf: () => ({ line: 1, column: 1 }) } };
}

function placeOf(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

interface Tree {
  readonly root: unknown;
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<unknown, unknown>;
  /** The keys of the mappings that were asked for: a file with a hundred thousand errors asks as often. */
  readonly pairs: Map<YAMLMap, ReadonlyMap<string, Pair>>;
}

function offsetAt(tree: Tree, path: ValuePath, part: 'key' | 'value'): number {
  let node = tree.root;
  let offset = startOf(tree.root) ?? 0;
  for (const [index, segment] of path.entries()) {
    const container = isAlias(node) ? tree.targets.get(node) : node;
    if (isSeq(container) && typeof segment === 'number') {
      node = container.items[segment];
    } else if (isMap(container)) {
      const pair = pairsOf(tree, container).get(String(segment));
      const wantsKey = part === 'key' && index === path.length - 1;
      node = wantsKey ? pair?.key : (pair?.value ?? pair?.key);
    } else {
      return offset;
    }
    const start = startOf(node);
    if (start === undefined) return offset;
    offset = start;
  }
  return offset;
}

function pairsOf(tree: Tree, map: YAMLMap): ReadonlyMap<string, Pair> {
  const known = tree.pairs.get(map);
  if (known !== undefined) return known;
  const pairs = new Map(map.items.map((pair) => [isScalar(pair.key) ? String(pair.key.value) : '', pair]));
  tree.pairs.set(map, pairs);
  return pairs;
}

function startOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
