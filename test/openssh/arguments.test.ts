/** The words that `ssh` is started with, case by case. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { failureOf } from '../../src/core/failure.js';
import type { Host } from '../../src/core/host.js';
import { sshArguments } from '../../src/openssh/ssh-arguments.js';
import type { ArgumentChoices } from '../../src/openssh/server-options.js';

interface Case {
  readonly name: string;
  readonly host: Partial<Host>;
  readonly choices?: ArgumentChoices;
  readonly terminal?: 'pty';
  readonly has?: readonly string[];
  readonly hasNot?: readonly string[];
  /** A part of the ProxyCommand. */
  readonly way?: string;
  readonly refused?: readonly [string, string];
}

const cases = parse(readFileSync(new URL('arguments.cases.yaml', import.meta.url), 'utf8')) as readonly Case[];

it.each(cases)('$name', ({ host, choices, terminal, has = [], hasNot = [], way, refused }) => {
  const words = (): string[] => sshArguments({ name: 'node-1', address: '10.0.0.1', become: 'none', labels: {}, ...host }, 'exec /bin/sh -s', '/log', choices ?? {}, terminal);
  if (refused) {
    const failure = catchFailure(words);
    expect(failure.kind).toBe(refused[0]);
    expect(failure.summary).toContain(refused[1]);
    return;
  }
  const made = words();
  expect(made.filter((word) => has.includes(word))).toEqual(has);
  for (const word of hasNot) expect(made.some((one) => one === word || (word.endsWith('=') && one.startsWith(word))), word).toBe(false);
  if (way !== undefined) expect(made.find((word) => word.startsWith('ProxyCommand='))).toContain(way);
  // Nothing after the address is an option, and the command is one word.
  expect(made.slice(-3)).toEqual(['--', host.address ?? '10.0.0.1', 'exec /bin/sh -s']);
});

function catchFailure(work: () => unknown): ReturnType<typeof failureOf> {
  try {
    work();
  } catch (error) {
    return failureOf(error);
  }
  throw new Error('expected a failure');
}
