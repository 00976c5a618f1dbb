/**
 * Turns parsed YAML nodes into plain values. An alias shares the value of its anchor, and the size of the whole is
 * counted as if every alias were written out, so a file of a kilobyte cannot stand for a billion values.
 * Never recurses deeper than the parser allowed, and never lets a key shadow another or reach a prototype.
 */
import { type Alias, isAlias, isMap, isScalar, isSeq, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import { quoteText } from '../core/input-error.js';

export interface ValueFault {
  readonly offset: number;
  readonly path: readonly (string | number)[];
  readonly expected: string;
  readonly got?: string;
}

export interface ConvertedValue {
  readonly value: unknown;
  readonly faults: readonly ValueFault[];
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<unknown, unknown>;
}

/** `size`: values in it with every alias written out. */
interface Converted {
  readonly value: unknown;
  readonly size: number;
}

interface Walk {
  readonly path: (string | number)[];
  readonly faults: ValueFault[];
  readonly targets: Map<unknown, unknown>;
  /** The latest anchor of each name, as the alias that follows sees it. */
  readonly anchors: Map<string, unknown>;
  /** Absent while the node is being converted: an alias to it would contain itself. */
  readonly done: Map<unknown, Converted>;
}

const MAX_VALUES = 2_000_000;

export function convertNodes(root: unknown): ConvertedValue {
  const walk: Walk = { path: [], faults: [], targets: new Map(), anchors: new Map(), done: new Map() };
  const { value } = convert(walk, root);
  return { value, faults: walk.faults, targets: walk.targets };
}

function convert(walk: Walk, node: unknown): Converted {
  if (isAlias(node)) return convertAlias(walk, node);
  if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined) walk.anchors.set(node.anchor, node);
  const converted = isMap(node) ? convertMap(walk, node) : isSeq(node) ? convertList(walk, node) : { value: isScalar(node) ? node.value : null, size: 1 };
  walk.done.set(node, converted);
  return converted;
}

function convertAlias(walk: Walk, alias: Alias): Converted {
  const target = walk.anchors.get(alias.source);
  const converted = walk.done.get(target);
  if (target !== undefined && converted !== undefined) {
    walk.targets.set(alias, target);
    return converted;
  }
  const expected = target === undefined ? 'an alias whose anchor stands before it' : 'an alias to a value that does not contain it';
  return refuse(walk, alias, expected, quoteText(`*${alias.source}`));
}

function convertList(walk: Walk, list: YAMLSeq): Converted {
  const values: unknown[] = [];
  let size = 1;
  for (const [index, item] of list.items.entries()) {
    walk.path.push(index);
    const converted = convert(walk, item);
    walk.path.pop();
    values.push(converted.value);
    size += converted.size;
    if (size > MAX_VALUES) return refuseSize(walk, item);
  }
  return { value: values, size };
}

function convertMap(walk: Walk, map: YAMLMap): Converted {
  const value = Object.create(null) as Record<string, unknown>;
  let size = 1;
  for (const pair of map.items) {
    const key = keyOf(walk, pair);
    if (key === undefined) continue;
    walk.path.push(key);
    if (key === '__proto__') refuse(walk, pair.key, 'another key', quoteText(key));
    else if (key === '<<') refuse(walk, pair.key, 'every key written out: merge keys are not supported', quoteText(key));
    else if (Object.hasOwn(value, key)) refuse(walk, pair.key, 'each key once', `${quoteText(key)} again`);
    const converted = convert(walk, pair.value);
    walk.path.pop();
    value[key] = converted.value;
    size += converted.size;
    if (size > MAX_VALUES) return refuseSize(walk, pair.key);
  }
  return { value, size };
}

function keyOf(walk: Walk, pair: Pair): string | undefined {
  if (isScalar(pair.key)) return String(pair.key.value);
  refuse(walk, pair.key, 'a plain key');
  return undefined;
}

function refuseSize(walk: Walk, node: unknown): Converted {
  return refuse(walk, node, `at most ${MAX_VALUES} values with every alias written out`);
}

function refuse(walk: Walk, node: unknown, expected: string, got?: string): Converted {
  const offset = (isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined) ?? 0;
  walk.faults.push({ offset, path: [...walk.path], expected, ...(got === undefined ? {} : { got }) });
  return { value: null, size: 1 };
}
