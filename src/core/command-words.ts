/** The words of a command as one line for people: never to be run, and so that a hidden secret hides its own word alone. Pure. */
import { cleanLine } from './clean-text.js';

const PLAIN = /^[\w./@%+,-]+$/u;

/** A word with a blank or a sign in it is quoted, and one behind a flag: what is redacted ends at the quote, not with the sentence. */
export function commandWords(words: readonly string[]): string {
  return words.map((word, index) => (PLAIN.test(word) && !isFlag(words[index - 1], word) ? word : JSON.stringify(cleanLine(word)))).join(' ');
}

function isFlag(before: string | undefined, word: string): boolean {
  return before?.startsWith('-') === true && !word.startsWith('-');
}
