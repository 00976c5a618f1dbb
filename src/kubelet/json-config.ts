/**
 * A config file that starts with `{`, read as Go reads JSON (kubelet.md 2.5). Never forgives a comment, a trailing comma
 * or text after the object: the kubelet does not.
 */
import { parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { emptyObject, guardDepth, placeOf, type Decoded } from './decoded.js';

export function decodeJson(text: string): Decoded {
  return guardDepth(() => readJson(text), { ok: false, error: 'json: nested too deep' });
}

/** The syntax tree, or why the text is not JSON. Offsets are into `text`. */
export function parseJson(text: string): { readonly ok: true; readonly root: Node } | { readonly ok: false; readonly error: string } {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false });
  const [first] = errors;
  if (first !== undefined) return { ok: false, error: `json: ${placeOf(text, first.offset)}: ${printParseErrorCode(first.error)}` };
  if (root === undefined || !isStrictJson(text)) return { ok: false, error: 'json: not valid JSON' };
  return { ok: true, root };
}

function readJson(text: string): Decoded {
  const parsed = parseJson(text);
  if (!parsed.ok) return parsed;
  const warnings: string[] = [];
  return { ok: true, value: valueOf(parsed.root, warnings), warnings };
}

function valueOf(node: Node, warnings: string[]): unknown {
  if (node.type === 'array') return (node.children ?? []).map((child) => valueOf(child, warnings));
  if (node.type !== 'object') return node.value as unknown;
  const object = emptyObject();
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    if (key === undefined || value === undefined) continue;
    const name = String(key.value);
    if (name in object) warnings.push(`duplicate key ${JSON.stringify(name)}: the last one counts`);
    object[name] = valueOf(value, warnings);
  }
  return object;
}

/** The tree's parser lets some things pass (a leading zero, a raw control character); the engine's own parser does not. */
function isStrictJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
