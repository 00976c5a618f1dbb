/** Numbers and names of hosts as people say them. Words only. */
import { foldNames } from '../core/fold-names.js';

/** Some terminal lines; a name list is there to recognise hosts by, not to be complete. */
const SHOWN_CHARACTERS = 240;
const SHOWN_NAMES = 5;

/** `1st`, `22nd`, `113th`. */
export function ordinal(count: number): string {
  const teen = count % 100 >= 11 && count % 100 <= 13;
  const ending = teen ? 'th' : (['th', 'st', 'nd', 'rd'][count % 10] ?? 'th');
  return `${count}${ending}`;
}

export { countHosts as hostsText } from '../core/count-hosts.js';

/** `a, b and c`. */
export function listText(words: readonly string[], last: 'and' | 'or'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1) ?? ''}`;
}

/** Folded; of many that do not fold well, the first ones. */
export function namesText(names: readonly string[]): string {
  const all = foldNames(names);
  if (all.length <= SHOWN_CHARACTERS) return all;
  return `${names.slice(0, SHOWN_NAMES).join(', ')} and ${names.length - SHOWN_NAMES} more`;
}
