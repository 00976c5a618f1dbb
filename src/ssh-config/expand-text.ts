/** Replaces tokens (%h), ${NAME} and `~` as OpenSSH does, and only those that a caller allows. Never calls a shell. Pure. */
import { quoteText } from '../core/input-error.js';

export interface ExpandRules {
  /** By their letter. */
  readonly tokens: Readonly<Record<string, string>>;
  /** Absent: ${NAME} stays as it is. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export type Expanded = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly expected: string; readonly got: string };

export function expandText(text: string, { tokens, env }: ExpandRules): Expanded {
  let result = '';
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (env !== undefined && character === '$' && text.charAt(at + 1) === '{') {
      const end = text.indexOf('}', at);
      const name = end < 0 ? '' : text.slice(at + 2, end);
      if (name === '') return { ok: false, expected: 'the name of a variable between ${ and }', got: quoteText(text) };
      const value = env[name];
      if (value === undefined) return { ok: false, expected: `the environment variable ${name} to be set`, got: quoteText(text) };
      result += value;
      at = end;
    } else if (character === '%') {
      at += 1;
      const letter = text.charAt(at);
      const value = letter === '%' ? '%' : Object.hasOwn(tokens, letter) ? tokens[letter] : undefined;
      if (value === undefined) return { ok: false, expected: `one of the tokens %% ${Object.keys(tokens).map((one) => `%${one}`).join(' ')}`, got: quoteText(`%${letter}`) };
      result += value;
    } else {
      result += character;
    }
  }
  return { ok: true, text: result };
}

/** The first token whose letter is not one of `letters`. */
export function findBadToken(text: string, letters: string): string | undefined {
  return [...text.matchAll(/%(.?)/gs)].find(([, letter = '']) => letter !== '%' && (letter === '' || !letters.includes(letter)))?.[0];
}

/** `~` and `~user` at the beginning; `homeOf` gives undefined where there is no such user. */
export function expandTilde(text: string, home: string, homeOf: (user: string) => string | undefined): Expanded {
  const match = /^~([^/]*)\/*(.*)$/s.exec(text);
  if (match === null) return { ok: true, text };
  const [, user = '', path = ''] = match;
  const base = user === '' ? home : homeOf(user);
  if (base === undefined) return { ok: false, expected: 'the name of a user of this machine behind ~', got: quoteText(user) };
  return { ok: true, text: `${base}${base.endsWith('/') ? '' : '/'}${path}` };
}
