/** The arithmetic of a rollout is told in words before it begins. */
import { describe, expect, it } from 'vitest';
import { describeRollout } from '../../src/rollout/describe-rollout.js';
import { planRollout } from '../../src/rollout/plan-rollout.js';
import { readCases } from './case-file.js';
import { type HostsText, hostsOf, policyOf } from './hosts.js';

interface Case {
  readonly name: string;
  readonly policy?: unknown;
  readonly hosts: HostsText;
  readonly failed?: readonly string[];
  /** Only this line; all of them when absent. */
  readonly line?: number;
  readonly words: readonly string[];
}

/** node-1 of 9, node-01 of 40: names as an inventory has them. */
function named(text: HostsText) {
  const hosts = hostsOf(text);
  return hosts.map((host) => ({ ...host, name: `node-${host.name.slice(1).padStart(String(hosts.length).length, '0')}` }));
}

describe('in words', () => {
  it.each(readCases<Case>('words'))('$name', ({ policy, hosts, failed = [], line, words }) => {
    const rollout = policyOf(policy);
    const lines = describeRollout(planRollout(rollout, named(hosts), 64), rollout, failed);
    expect(line === undefined ? lines : lines.slice(line, line + words.length)).toEqual(words);
  });

  it('names of ten thousand hosts in no order do not fill the screen', () => {
    const rollout = policyOf({ waves: ['1%', '100%'], canary: 'none', order: 'shuffled' });
    const lines = describeRollout(planRollout(rollout, named(10_000), 64), rollout, []);
    expect(lines.every((text) => text.length < 400)).toBe(true);
    expect(lines[0]).toMatch(/^wave 1 of 2: 100 hosts, 64 at once: node-\d{5}, .* and 95 more$/u);
  });
});
