/**
 * Shell-like patterns over names: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`. Always the whole name, upper and lower case differ.
 * Never builds a regular expression, and never needs more than pattern length x name length steps.
 */
type Piece =
  | { readonly is: 'any' }
  | { readonly is: 'one' }
  | { readonly is: 'character'; readonly character: string }
  | { readonly is: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [low: string, high: string])[] };

export type Glob = readonly Piece[];
/** `offset` counts from 0 in the pattern. */
export type ParsedGlob = { readonly ok: true; readonly glob: Glob } | { readonly ok: false; readonly offset: number; readonly expected: string };

export function parseGlob(pattern: string): ParsedGlob {
  const pieces: Piece[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    if (character === ']') return { ok: false, offset: at, expected: 'a [ before the ]' };
    if (character !== '[') {
      pieces.push(character === '*' ? { is: 'any' } : character === '?' ? { is: 'one' } : { is: 'character', character });
      continue;
    }
    const end = pattern.indexOf(']', at);
    if (end < 0) return { ok: false, offset: at, expected: 'a ] after the [' };
    const parsed = parseClass(pattern.slice(at + 1, end));
    if (typeof parsed === 'string') return { ok: false, offset: at, expected: parsed };
    pieces.push(parsed);
    at = end;
  }
  return { ok: true, glob: pieces };
}

/** Whether the pattern is more than a plain name. */
export function hasWildcard(glob: Glob): boolean {
  return glob.some((piece) => piece.is !== 'character');
}

export function matchGlob(glob: Glob, name: string): boolean {
  let at = 0;
  let piece = 0;
  let retry: { at: number; piece: number } | undefined;
  while (at < name.length) {
    const current = glob[piece];
    if (current?.is === 'any') {
      piece += 1;
      retry = { at, piece };
    } else if (current !== undefined && matchOne(current, name.charAt(at))) {
      at += 1;
      piece += 1;
    } else if (retry !== undefined) {
      retry.at += 1;
      at = retry.at;
      piece = retry.piece;
    } else {
      return false;
    }
  }
  return glob.slice(piece).every((rest) => rest.is === 'any');
}

function matchOne(piece: Piece, character: string): boolean {
  switch (piece.is) {
    case 'any':
      return false;
    case 'one':
      return true;
    case 'character':
      return piece.character === character;
    case 'class':
      return piece.ranges.some(([low, high]) => low <= character && character <= high) !== piece.negated;
  }
}

/** The class between the brackets, or what was expected of it. */
function parseClass(text: string): Piece | string {
  const negated = text.startsWith('!');
  const body = negated ? text.slice(1) : text;
  if (body === '') return 'a character between [ and ]';
  if (body.includes(':')) return 'characters such as [abc] or [a-c]: ranges with a colon belong into an inventory';
  if (/[[*?!^]/u.test(body)) return 'letters, digits, dots, dashes and underscores between [ and ]';
  const ranges: [string, string][] = [];
  for (let at = 0; at < body.length; at++) {
    const low = body.charAt(at);
    const isRange = body.charAt(at + 1) === '-' && at + 2 < body.length;
    const high = isRange ? body.charAt(at + 2) : low;
    if (high < low) return 'a class that goes up, such as [a-c]';
    ranges.push([low, high]);
    if (isRange) at += 2;
  }
  return { is: 'class', negated, ranges };
}
