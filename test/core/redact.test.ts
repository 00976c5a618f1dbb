/** Secrets are hidden by rule, in files and in messages, and a changed one still shows as a change. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { diffOf } from '../../src/core/diff.js';
import { GENERAL_RULE, redactText, redactVersions, type SecretRule } from '../../src/core/redact.js';
import { redactCommandLines } from '../../src/core/redact-words.js';
import { redactValue } from '../../src/core/redact-value.js';
import { isSecretName, normalName } from '../../src/core/secret-names.js';
import { findSecrets } from '../../src/kubelet/find-secrets.js';

interface Case {
  readonly name?: string;
  readonly text: string;
  readonly shown: string;
  readonly names?: readonly string[];
  readonly values?: readonly string[];
}

const cases = (file: string): Case[] => parse(readFileSync(new URL(`./redact/${file}`, import.meta.url), 'utf8')) as Case[];
const ruleOf = ({ names = [], values = [] }: Case): SecretRule => ({ names: names.map(normalName), values });

function redactFile(text: string, rule: SecretRule = GENERAL_RULE): string {
  const [shown = ''] = redactVersions([text], rule, [findSecrets(text, (name) => isSecretName(name, rule.names))]);
  return shown;
}

describe('a file', () => {
  it.each(cases('files.yaml'))('$name', (row) => {
    const shown = redactFile(row.text, ruleOf(row));
    expect(shown).toBe(row.shown === 'same' ? row.text : row.shown);
    expect(redactText(shown, ruleOf(row)), 'on its way to a screen it stays as it is').toBe(shown);
  });

  it('a secret that changed shows as a change, and its old and new value do not', () => {
    const diff = diffOf('/etc/x', Buffer.from('a: 1\ntoken: before-secret\nb: 2\n'), Buffer.from('a: 1\ntoken: after-secret\nb: 3\n'), { rule: GENERAL_RULE, find: findSecrets });
    expect(diff.split('\n').filter((line) => /^[-+][a-z]/.test(line))).toEqual(['-token: [redacted 1]', '-b: 2', '+token: [redacted 2]', '+b: 3']);
  });

  it('a secret that did not change is no change, and hosts that differ only in it have one diff', () => {
    const diffWith = (secret: string): string => diffOf('/etc/x', Buffer.from(`token: ${secret}\nb: 2\n`), Buffer.from(`token: ${secret}\nb: 3\n`), { rule: GENERAL_RULE, find: findSecrets });
    expect(diffWith('one-secret')).toContain(' token: [redacted 1]\n-b: 2\n+b: 3');
    expect(diffWith('one-secret')).toBe(diffWith('another-secret'));
  });
});

describe('a message', () => {
  it.each(cases('messages.yaml'))('$text', ({ text, shown }) => {
    expect(redactText(text)).toBe(shown === 'same' ? text : shown);
  });

  it('to hide twice is to hide once, whatever the text', () => {
    const piece = fc.constantFrom('token', 'password', '"', "'", '\\', '=', ': ', ':', ' ', '\n', '--', '{', '}', '[', ']', ',', 'abc', 'hunter2', '|', '#', ';', '-----BEGIN A KEY-----', '-----END A KEY-----', '://', '@', '/', 'Bearer ', '\t', '\0');
    fc.assert(fc.property(fc.array(piece, { maxLength: 30 }).map((parts) => parts.join('')), (text) => {
      const once = redactText(text);
      expect(redactText(once)).toBe(once);
    }), { numRuns: 3000 });
  });
});

describe('values and words', () => {
  it('hides by key, in texts, behind flags, and leaves the content of edits out', () => {
    const value = {
      token: 'abc', list: ['--token', 'abc', '--v', '2'], deep: { apiKeys: ['a', { x: 'b' }], tokenFile: '/x', count: 3 }, text: 'password=abc',
      edit: { do: 'write', path: '/x', content: 'YWJj', before: 'absent' },
    };
    expect(redactValue(value, GENERAL_RULE)).toEqual({
      token: '[redacted]', list: ['--token', '[redacted]', '--v', '2'], deep: { apiKeys: ['[redacted]', { x: '[redacted]' }], tokenFile: '/x', count: 3 },
      text: 'password=[redacted]', edit: { do: 'write', path: '/x', before: 'absent' },
    });
  });

  it('a secret word that changed is another number', () => {
    expect(redactCommandLines([['k', '--token', 'abc', '--api-key=x'], ['k', '--token', 'def', '--api-key=x']])).toEqual([
      ['k', '--token', '[redacted 1]', '--api-key=[redacted 2]'], ['k', '--token', '[redacted 3]', '--api-key=[redacted 2]'],
    ]);
  });

  it.each(['password', 'DB_PASSWD', 'bootstrapToken', 'client-secret', '--API.KEY', 'privateKey', 'TOKEN2', 'tokens', 'registry_credentials', 'dbPass', 'client-key-data'])('%s names a secret', (name) => {
    expect(isSecretName(name)).toBe(true);
  });
  it.each(['tokenFile', 'secretName', 'tokenTTL', 'PWD', 'OLDPWD', 'bypass', 'compass', 'authorization', 'tlsPrivateKeyFile', 'passed', 'clientCAFile', 'hostKey', 'key'])('%s names none', (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

/** A run through them that looked at everything twice per character would take days: the test's own limit of time is enough. */
describe('long lines and hostile ones come to an end', () => {
  const MEBIBYTE = 1 << 20;
  const HOSTILE = [
    'token=', 'token: ', 'token:[', 'token:{"', '{token:&x,', '{token:#,', 'token="\\', 'token=a"b"', "token='a'b", 'token:[] ', 'token: # ', 'token="\n', 'token:\n ', 'token: |\n', ' token:',
    '-----BEGIN A-----', '-----BEGIN A-----\nabc ', '://', '://a:', 'http://a:b@c ', 'Authorization: ', 'Authorization=a b', 'Bearer ', 'eyJ', 'eyJaaaaaa.', 'LS0tLS1CRUdJTi', '--token ', '--token\0', '"', "'", '\\', '\\"', '[', '{"a":', '- ', ' ', '\t', 'a', '&a ', '*a ', '"token":"', '\\"token\\":\\"',
  ];
  it.each(HOSTILE)('%j over and over', (piece) => {
    const text = piece.repeat(Math.ceil(MEBIBYTE / piece.length));
    expect(redactText(text).length).toBeGreaterThan(0);
    expect(redactVersions([text, text], GENERAL_RULE, [])).toHaveLength(2);
  });
  it.each(HOSTILE)('%j over and over, read as YAML', (piece) => {
    const text = piece.repeat(Math.ceil(MEBIBYTE / 16 / piece.length));
    expect(findSecrets(text, isSecretName)).toBeInstanceOf(Array);
  });
});
