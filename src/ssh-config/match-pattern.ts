/** Patterns of ssh_config(5): `*`, `?`, and lists in which a `!` match refuses. Never builds a regular expression. Pure. */

/** A list without negation or with it, over one text. `negated`: a pattern with `!` matched, wherever it stands. */
export function matchPatterns(patterns: readonly string[], text: string): 'match' | 'no' | 'negated' {
  let result: 'match' | 'no' = 'no';
  for (const pattern of patterns) {
    if (pattern.startsWith('!')) {
      if (matchWildcards(pattern.slice(1), text)) return 'negated';
    } else if (matchWildcards(pattern, text)) {
      result = 'match';
    }
  }
  return result;
}

/** `*` is any run of characters, `?` exactly one; always the whole text. Linear: it only ever goes back to the last star. */
export function matchWildcards(pattern: string, text: string): boolean {
  let at = 0;
  let inPattern = 0;
  let star = -1;
  let resumeAt = 0;
  while (at < text.length) {
    const wanted = pattern[inPattern];
    if (wanted === '*') {
      star = inPattern++;
      resumeAt = at;
    } else if (wanted !== undefined && (wanted === '?' || wanted === text[at])) {
      inPattern += 1;
      at += 1;
    } else if (star >= 0) {
      inPattern = star + 1;
      at = ++resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[inPattern] === '*') inPattern += 1;
  return inPattern === pattern.length;
}
