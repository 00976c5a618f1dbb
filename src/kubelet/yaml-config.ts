/**
 * A config file that does not start with `{`, read as the kubelet's YAML reader does (kubelet.md 2.5): first document only,
 * YAML 1.1 scalars, merge keys, duplicate keys by the last. Never expands aliases without a limit.
 */
import { isAlias, isMap, isScalar, isSeq, visit, type Alias, type Node, type Scalar, type YAMLMap } from 'yaml';
import { emptyObject, guardDepth, type Decoded } from './decoded.js';
import { parseYaml, type YamlDocument } from './yaml-document.js';
import { resolveScalar } from './yaml-scalar.js';

interface Reading {
  /** Where the text ends, when it ends without a line break. */
  readonly openEnd: number | undefined;
  readonly targets: ReadonlyMap<Alias, Node | undefined>;
  /** Aliases that are being followed now. */
  readonly following: Set<Alias>;
  readonly warnings: string[];
  /** The first one ends the reading. */
  readonly faults: string[];
  nodes: number;
  nodesInAliases: number;
}

export function decodeYaml(text: string): Decoded {
  return guardDepth(() => readYaml(text), { ok: false, error: 'yaml: nested too deep' });
}

function readYaml(text: string): Decoded {
  const parsed = parseYaml(text);
  if (!parsed.ok) return parsed;
  const { doc } = parsed;
  const warnings = [...parsed.warnings];
  if (doc === undefined) return { ok: true, value: null, warnings };
  const openEnd = /[\r\n]$/.test(text) ? undefined : text.length;
  const reading: Reading = { openEnd, targets: aliasTargets(doc), following: new Set(), warnings, faults: [], nodes: 0, nodesInAliases: 0 };
  const value = valueOf(doc.contents, reading);
  const [fault] = reading.faults;
  return fault === undefined ? { ok: true, value, warnings } : { ok: false, error: `yaml: ${fault}` };
}

function valueOf(node: unknown, reading: Reading): unknown {
  if (reading.faults.length > 0) return null;
  if (isAlias(node)) return followed(node, reading, (target) => valueOf(target, reading));
  countNode(reading);
  if (isMap(node)) {
    const object = emptyObject();
    fill(object, node, reading, new Set());
    return object;
  }
  if (isSeq(node)) return node.items.map((item) => valueOf(item, reading));
  return isScalar(node) ? scalarOf(node, reading) : null;
}

/** `own` holds the keys written in this very map: one of them twice is worth a warning, one over a merged key is not. */
function fill(object: Record<string, unknown>, map: YAMLMap, reading: Reading, own: Set<string>): void {
  for (const pair of map.items) {
    if (isMergeKey(pair.key)) {
      merge(object, pair.value, reading);
      continue;
    }
    const name = keyOf(pair.key, reading);
    if (own.has(name)) reading.warnings.push(`duplicate key ${JSON.stringify(name)}: the last one counts`);
    own.add(name);
    object[name] = valueOf(pair.value, reading);
  }
}

/** In this reader a merge counts where it stands: over the keys before it, under those after it. */
function merge(object: Record<string, unknown>, source: unknown, reading: Reading): void {
  if (isSeq(source)) {
    for (const item of [...source.items].reverse()) mergeOne(object, item, reading);
    return;
  }
  mergeOne(object, source, reading);
}

function mergeOne(object: Record<string, unknown>, source: unknown, reading: Reading): void {
  if (reading.faults.length > 0) return;
  if (isAlias(source)) {
    followed(source, reading, (target) => mergeOne(object, target, reading));
  } else if (isMap(source)) {
    countNode(reading);
    fill(object, source, reading, new Set());
  } else {
    reading.faults.push('map merge requires map or sequence of maps as the value');
  }
}

function keyOf(node: unknown, reading: Reading): string {
  const key = valueOf(node, reading);
  if (typeof key === 'string' || typeof key === 'boolean' || typeof key === 'number') return String(key);
  reading.faults.push('a map key is neither text, number nor boolean');
  return '';
}

function scalarOf(node: Scalar, reading: Reading): string | number | boolean | null {
  const text = String(node.value ?? '');
  const cutOff = (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED') && node.range?.[1] === reading.openEnd;
  const resolved = resolveScalar(cutOff ? text.replace(/\n$/, '') : text, node.type === 'PLAIN', node.tag);
  if (!resolved.ok) {
    reading.faults.push(resolved.error);
    return null;
  }
  if (typeof resolved.value === 'number' && !Number.isFinite(resolved.value)) reading.faults.push(`unsupported value: ${resolved.value}`);
  return resolved.value;
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN' && (key.tag === undefined || key.tag === 'tag:yaml.org,2002:merge');
}

function followed<T>(alias: Alias, reading: Reading, follow: (target: Node) => T): T | null {
  const target = reading.targets.get(alias);
  if (target === undefined || reading.following.has(alias)) {
    reading.faults.push(target === undefined ? `unknown anchor '${alias.source}' referenced` : `anchor '${alias.source}' value contains itself`);
    return null;
  }
  reading.following.add(alias);
  const result = follow(target);
  reading.following.delete(alias);
  return result;
}

/** Which node each alias means: the last one before it with that anchor. */
function aliasTargets(doc: YamlDocument): Map<Alias, Node | undefined> {
  const anchored = new Map<string, Node>();
  const targets = new Map<Alias, Node | undefined>();
  visit(doc, {
    Alias: (_key, alias) => {
      targets.set(alias, anchored.get(alias.source));
    },
    Value: (_key, node) => {
      if (node.anchor !== undefined) anchored.set(node.anchor, node);
    },
  });
  return targets;
}

/** go-yaml's own guard against a file of a few lines that unfolds to gigabytes. */
function countNode(reading: Reading): void {
  reading.nodes += 1;
  if (reading.following.size > 0) reading.nodesInAliases += 1;
  if (reading.nodesInAliases <= 100 || reading.nodes <= 1000) return;
  const [from, to] = [400_000, 4_000_000];
  const share = Math.min(0.99, Math.max(0.1, 0.99 - (0.89 * (reading.nodes - from)) / (to - from)));
  if (reading.nodesInAliases / reading.nodes > share) reading.faults.push('document contains excessive aliasing');
}
