/** Many host names as few words: `node-[001-003,007].pool-a`. Pure; the inverse is an inventory's host range. */

interface Pattern {
  readonly prefix: string;
  readonly suffix: string;
  readonly width: number;
  readonly numbers: number[];
}

/** Folds names that differ only in their last run of digits; order of first appearance is kept. */
export function foldNames(names: readonly string[]): string {
  const patterns = new Map<string, Pattern>();
  for (const name of names) {
    const match = /^(.*?)(\d{1,15})(\D*)$/s.exec(name);
    const [, prefix = name, digits = '', suffix = ''] = match ?? [];
    const key = JSON.stringify([prefix, digits === '' ? 0 : digits.length, suffix]);
    const pattern = patterns.get(key) ?? { prefix, suffix, width: digits.length, numbers: [] };
    if (digits !== '') pattern.numbers.push(Number(digits));
    patterns.set(key, pattern);
  }
  return [...patterns.values()].map(patternText).join(', ');
}

function patternText({ prefix, suffix, width, numbers }: Pattern): string {
  const shown = ranges([...new Set(numbers)].sort((left, right) => left - right), width);
  const [only] = shown;
  if (only === undefined) return prefix;
  const single = shown.length === 1 && !only.includes('-');
  return single ? `${prefix}${only}${suffix}` : `${prefix}[${shown.join(',')}]${suffix}`;
}

function ranges(sorted: readonly number[], width: number): string[] {
  const found: { from: number; to: number }[] = [];
  for (const number of sorted) {
    const last = found.at(-1);
    if (last !== undefined && number === last.to + 1) last.to = number;
    else found.push({ from: number, to: number });
  }
  const pad = (number: number): string => String(number).padStart(width, '0');
  return found.map(({ from, to }) => (from === to ? pad(from) : `${pad(from)}-${pad(to)}`));
}
