/** Where a tab stands that libyaml does not take: as indentation, or before something that could be a key. Looks at nothing else. */
import { CST, Lexer } from 'yaml';

interface Place {
  flowDepth: number;
  /** libyaml: a key could begin here, so only spaces may come before it. */
  keyAllowed: boolean;
  lineStart: number;
  atLineStart: boolean;
  /** The last token was a plain scalar: it takes in the white space behind it by a rule of its own. */
  afterPlain: boolean;
  indent: number;
}

/** Offset of the first forbidden tab in one document. */
export function findForbiddenTab(source: string): number | undefined {
  if (!source.includes('\t')) return undefined;
  const place: Place = { flowDepth: 0, keyAllowed: true, lineStart: 0, atLineStart: true, afterPlain: false, indent: 0 };
  let offset = 0;
  let scalarNext = false;
  for (const lexeme of new Lexer().lex(source)) {
    const type = scalarNext ? 'scalar' : CST.tokenType(lexeme);
    scalarNext = lexeme === CST.SCALAR;
    if (scalarNext || lexeme === CST.DOCUMENT || lexeme === CST.FLOW_END) continue;
    const tab = type === 'space' ? lexeme.indexOf('\t') : -1;
    if (tab !== -1 && isForbidden(place, offset + tab)) return offset + tab;
    if (type !== 'space') advance(place, type, offset, lexeme.length);
    offset += lexeme.length;
  }
  return undefined;
}

function isForbidden(place: Place, tab: number): boolean {
  if (place.flowDepth > 0 || !place.keyAllowed) return false;
  return !(place.atLineStart && place.afterPlain) || tab - place.lineStart <= place.indent;
}

function advance(place: Place, type: CST.TokenType | null, offset: number, length: number): void {
  if (type === 'newline') {
    place.keyAllowed = true;
    place.atLineStart = true;
    place.lineStart = offset + length;
    return;
  }
  place.afterPlain = type === 'scalar';
  if (type === 'comment') return;
  if (place.atLineStart) place.indent = offset - place.lineStart;
  place.atLineStart = false;
  if (type === 'flow-map-start' || type === 'flow-seq-start') place.flowDepth += 1;
  if (type === 'flow-map-end' || type === 'flow-seq-end') place.flowDepth -= 1;
  place.keyAllowed = type === 'seq-item-ind' || type === 'explicit-key-ind';
}
