/** Expands `%` specifiers as far as the unit's name tells; never guesses what depends on the machine. */
import type { ByteText } from '../core/bytes.js';
import { buildLocated } from './located-text.js';
import type { LocatedText } from './located-text.js';

export interface Expanded {
  readonly text: LocatedText;
  /** Specifiers whose value only the machine knows; they are left as written. */
  readonly unknown: readonly string[];
  /** A letter or digit that is no specifier: systemd refuses the whole word. */
  readonly invalid?: string;
}

/** What a system manager (not a user's) uses, whatever the unit. */
const FIXED: Readonly<Record<string, string>> = {
  C: '/var/cache', E: '/etc', L: '/var/log', S: '/var/lib', T: '/tmp', V: '/var/tmp', t: '/run',
  g: 'root', G: '0', h: '/root', u: 'root', U: '0',
};

/** Host name, boot, kernel, architecture, operating system, shell, path of the fragment, control group. */
const MACHINE = new Set('aAbBcHlmMoqrRsvwWyY');

function unescapeName(escaped: string): string {
  return escaped.replace(/-|\\x([0-9a-fA-F]{2})/g, (_, hex: string | undefined) =>
    hex === undefined ? '/' : String.fromCharCode(parseInt(hex, 16)),
  );
}

function unitSpecifiers(unit: string): Readonly<Record<string, string>> {
  const bare = unit.replace(/\.[^.]*$/, '');
  const at = bare.indexOf('@');
  const prefix = at < 0 ? bare : bare.slice(0, at);
  const instance = at < 0 ? '' : bare.slice(at + 1);
  const last = prefix.slice(prefix.lastIndexOf('-') + 1);
  const path = unescapeName(instance === '' ? prefix : instance);
  return {
    n: unit, N: bare, p: prefix, P: unescapeName(prefix), i: instance, I: unescapeName(instance),
    j: last, J: unescapeName(last), f: path.startsWith('/') ? path : `/${path}`,
    d: `/run/credentials/${unit}`,
  };
}

/** `%%` is one percent sign; before anything but a letter or digit, and at the end, a percent sign is itself (kubelet.md 4.3). */
export function expandSpecifiers(input: LocatedText, unit: string): Expanded {
  if (!input.text.includes('%')) return { text: input, unknown: [] };
  const known: Readonly<Record<ByteText, string>> = { ...FIXED, ...unitSpecifiers(unit), '%': '%' };
  const out = buildLocated();
  const unknown: string[] = [];
  let at = 0;
  while (at < input.text.length) {
    const char = input.text.charAt(at);
    const letter = char === '%' ? input.text.charAt(at + 1) : '';
    const start = input.starts[at] ?? 0;
    const value = letter === '' ? undefined : known[letter];
    if (value !== undefined) {
      out.put(value, start, input.ends[at + 1] ?? start);
      at += 2;
      continue;
    }
    if (MACHINE.has(letter)) unknown.push(`%${letter}`);
    else if (/^[A-Za-z0-9]$/.test(letter)) return { text: input, unknown, invalid: `%${letter}` };
    out.put(char, start, input.ends[at] ?? start);
    at += 1;
  }
  return { text: out.done(), unknown };
}
