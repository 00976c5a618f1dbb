/** Words of a command in a sentence: a secret in them is hidden, and the sentence goes on behind it. */
import { expect, it } from 'vitest';
import { commandWords } from '../../src/core/command-words.js';
import { redactText } from '../../src/core/redact.js';

it.each<[string[], string, string]>([
  [['./drain.sh', '--grace', '5m'], './drain.sh --grace "5m"', './drain.sh --grace "5m"'],
  [['./gate.sh', 'a b', ''], './gate.sh "a b" ""', './gate.sh "a b" ""'],
  [['x', 'password: hunter2'], 'x "password: hunter2"', 'x "password: [redacted]"'],
  [['x', 'password:hunter2'], 'x "password:hunter2"', 'x "password:[redacted]"'],
  [['x', 'password=hunter2'], 'x "password=hunter2"', 'x "password=[redacted]"'],
  [['x', '--token', 'hunter2'], 'x --token "hunter2"', 'x --token "[redacted]"'],
  [['x', 'a\u001b[2Jb', 'two\nlines'], 'x "a[2Jb" "two lines"', 'x "a[2Jb" "two lines"'],
])('%j', (words, text, shown) => {
  expect(commandWords(words)).toBe(text);
  expect(redactText(`beforeHost (${commandWords(words)}) ended with exit code 3`)).toBe(`beforeHost (${shown}) ended with exit code 3`);
});
