/**
 * Where the values of secrets stand in a YAML or JSON file, by its syntax: blocks and values over several lines, anchors
 * that a secret is an alias of, lists, flags in lists of words, the data of a `kind: Secret`. Never says that a
 * text holds none: what does not parse is left to the rule for lines.
 */
import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, visit, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import type { SecretFinder } from '../core/redact.js';
import { isSecretValue } from '../core/secret-names.js';
import type { TextRange } from '../core/text-ranges.js';
import { guardDepth } from './decoded.js';
import { isNestedTooDeep } from './yaml-document.js';

export const findSecrets: SecretFinder = (text, isSecretName) => guardDepth(() => findInYaml(text, isSecretName), []);

interface Search {
  readonly text: string;
  readonly isSecretName: (name: string) => boolean;
  /** The latest anchor of each name: an alias that follows means it. */
  readonly anchors: Map<string, unknown>;
  /** Each node is taken once, however many aliases lead to it. */
  readonly taken: Set<unknown>;
  readonly ranges: TextRange[];
}

function findInYaml(text: string, isSecretName: (name: string) => boolean): TextRange[] {
  if (isNestedTooDeep(text)) return [];
  const search: Search = { text, isSecretName, anchors: new Map(), taken: new Set(), ranges: [] };
  const documents = parseAllDocuments(text, { schema: 'failsafe', uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
  for (const document of 'empty' in documents ? [] : documents) {
    search.anchors.clear();
    visit(document, {
      Value: (_, node) => {
        if (node.anchor !== undefined) search.anchors.set(node.anchor, node);
        if (isMap(node)) lookAtMap(search, node);
        if (isSeq(node)) lookAtWords(search, node);
      },
      // After what stands before it, so that an alias is known.
      Pair: (_, { key, value }) => {
        const name = textOf(key);
        if (name !== undefined && (isSecretName(name) || isHeader(name, value))) take(search, name, value);
      },
    });
  }
  return search.ranges;
}

/** `staticPodURLHeader: { Authorization: [...] }`; what the kubelet calls `authorization` is a map. */
function isHeader(name: string, value: unknown): boolean {
  return /^(?:proxy-)?authorization$/i.test(name) && !isMap(value);
}

/** All data of a `kind: Secret`, whatever it is called. */
function lookAtMap(search: Search, map: YAMLMap): void {
  if (!map.items.some(({ key, value }) => textOf(key) === 'kind' && textOf(value) === 'Secret')) return;
  for (const { key, value } of map.items) {
    if (['data', 'stringData'].includes(textOf(key) ?? '')) take(search, 'secret', value);
  }
}

/** `- --token` and the item behind it. */
function lookAtWords(search: Search, list: YAMLSeq): void {
  for (const [index, item] of list.items.entries()) {
    const word = textOf(item);
    const next = list.items[index + 1];
    if (word?.startsWith('-') === true && search.isSecretName(word) && textOf(next)?.startsWith('-') === false) take(search, word, next);
  }
}

/** Below the name of a secret every text is one, except what only says where or how it is called. */
const PLACE = /(?:name|file|path|ref)$/i;

function take(search: Search, name: string, node: unknown): void {
  if (search.taken.has(node)) return;
  search.taken.add(node);
  if (isAlias(node)) take(search, name, search.anchors.get(node.source));
  else if (isSeq(node)) for (const item of node.items) take(search, name, item);
  else if (isMap(node)) for (const { key, value } of node.items) if (!PLACE.test(textOf(key) ?? '')) take(search, name, value);
  if (isScalar(node) && isSecretValue(name, textOf(node) ?? '')) search.ranges.push(...rangeOf(search.text, node));
}

function textOf(node: unknown): string | undefined {
  return isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
}

/** Without quotes and without the head of a block. */
function rangeOf(text: string, { range, type }: Scalar): TextRange[] {
  if (!range) return [];
  const [from, to] = range;
  switch (type) {
    case 'QUOTE_DOUBLE':
    case 'QUOTE_SINGLE':
      return [{ start: from + 1, end: to - 1 }];
    case 'BLOCK_LITERAL':
    case 'BLOCK_FOLDED': {
      const body = text.slice(text.indexOf('\n', from) + 1, to);
      return [{ start: to - body.trimStart().length, end: to - (body.length - body.trimEnd().length) }];
    }
    default:
      return [{ start: from, end: to }];
  }
}
