/**
 * The syntax of a YAML config file, for reading and for editing, as strict as the kubelet's own reader (libyaml's grammar,
 * YAML 1.1) where the parser here is more lenient. Never resolves a value.
 */
import { isMap, Lexer, parseAllDocuments, Parser, visit, type Document, type ParsedNode, type YAMLError } from 'yaml';
import { placeOf } from './decoded.js';
import { findForbiddenTab } from './yaml-tabs.js';

export type YamlDocument = Document.Parsed<ParsedNode>;
export type ParsedYaml =
  | { readonly ok: true; readonly doc: YamlDocument | undefined; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly error: string };

/** What libyaml calls a control character: everything outside these ranges. */
const CONTROL = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const PROLOGUE_LINE = /^(?:[ \t]*(?:#.*)?|%.*)$/;
const KNOWN_DIRECTIVE = /^%(?:YAML[ \t]+1\.1|TAG[ \t]+\S+[ \t]+\S+)[ \t]*(?:#.*)?$/;

/** The library recurses, so a deeper file would overflow the stack and end the process. No real config comes near it. */
const MAX_NESTING = 200;

/** The first document with its source tokens; undefined when there is none. Offsets are into `text`. */
export function parseYaml(text: string): ParsedYaml {
  if (CONTROL.test(text)) return { ok: false, error: 'yaml: control characters are not allowed' };
  const source = sameLength(text);
  const directive = findUnknownDirective(source);
  if (directive !== undefined) return { ok: false, error: `yaml: directive not understood: ${directive}` };
  if (isNestedTooDeep(source)) return { ok: false, error: `yaml: nested deeper than ${MAX_NESTING} levels` };
  const docs = parseAllDocuments(source, { version: '1.1', schema: 'failsafe', uniqueKeys: false, keepSourceTokens: true, prettyErrors: false, logLevel: 'silent' });
  const [doc, second] = 'empty' in docs ? [] : docs;
  if (doc === undefined) return { ok: true, doc, warnings: [] };
  const tab = findForbiddenTab(source.slice(0, second?.range[0]));
  if (tab !== undefined) return { ok: false, error: `yaml: ${placeOf(source, tab)}: a tab may not be used here` };
  const colon = findTightColon(doc, source);
  if (colon !== undefined) return { ok: false, error: `yaml: ${placeOf(source, colon)}: a space is missing behind the colon` };
  const [fault] = doc.errors;
  if (fault === undefined) return { ok: true, doc, warnings: second === undefined ? [] : ['only the first YAML document is read'] };
  if (isBehindObject(doc, fault)) return { ok: true, doc, warnings: ['text after the object is not read'] };
  return { ok: false, error: `yaml: ${placeOf(source, fault.pos[0])}: ${fault.message}` };
}

export function isNestedTooDeep(source: string): boolean {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(source)) {
    // Tokens are of no use here: only how many are still open.
    Array.from(parser.next(lexeme));
    if (parser.stack.length > MAX_NESTING) return true;
  }
  return false;
}

/** A byte order mark and the rarer line breaks of YAML 1.1 as newlines. Each is one UTF-16 unit, so offsets stay as they are. */
function sameLength(text: string): string {
  return text.replace(/^\ufeff|\r(?!\n)|[\u0085\u2028\u2029]/g, '\n');
}

function findUnknownDirective(source: string): string | undefined {
  for (const line of source.split(/\r?\n/)) {
    if (!PROLOGUE_LINE.test(line)) return undefined;
    if (line.startsWith('%') && !KNOWN_DIRECTIVE.test(line)) return line;
  }
  return undefined;
}

/** The kubelet's reader stops at the end of a top-level `{...}` and does not see what follows. */
function isBehindObject(doc: YamlDocument, fault: YAMLError): boolean {
  return isMap(doc.contents) && doc.contents.flow === true && fault.code === 'UNEXPECTED_TOKEN' && fault.pos[0] >= doc.contents.range[1];
}

/** `{a:[1]}` or `{a:,b: 1}`: to libyaml that colon is part of the key, to the parser here it is not. So it is refused. */
function findTightColon(doc: YamlDocument, source: string): number | undefined {
  let found: number | undefined;
  visit(doc, {
    Pair: (_key, { srcToken }) => {
      const colon = srcToken?.sep?.find((token) => token.type === 'map-value-ind');
      if (srcToken?.key?.type !== 'scalar' || colon === undefined || !/[,[\]{}]/.test(source.charAt(colon.offset + 1))) return undefined;
      found = colon.offset;
      return visit.BREAK;
    },
  });
  return found;
}
