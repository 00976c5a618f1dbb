/** What is typed of a rollout reaches the playbook's reader letter for letter, and nothing else does. */
import { describe, expect, it } from 'vitest';
import yargs from 'yargs';
import { refuseRepeats } from '../../src/cli/refuse-repeats.js';
import { rolloutFlags, withRolloutOptions } from '../../src/cli/rollout-options.js';
import { policyOf } from '../rollout/hosts.js';

async function typed(words: readonly string[]): Promise<{ readonly playbook: unknown; readonly flags: Record<string, string> }> {
  let found: { playbook: unknown; flags: Record<string, string> } | undefined;
  await yargs(['apply', ...words])
    .command({
      command: 'apply <playbook>',
      builder: (one) => withRolloutOptions(one.positional('playbook', { type: 'string' }).option('yes', { type: 'boolean', default: false })),
      handler: (args) => { found = { playbook: args['playbook'], flags: rolloutFlags(args) }; },
    })
    .strict().parserConfiguration({ 'dot-notation': false }).check(refuseRepeats).exitProcess(false)
    .fail((message, error) => { throw error ?? new Error(message); })
    .parseAsync();
  if (found === undefined) throw new Error('the command was not called');
  return found;
}

describe('flags of a rollout', () => {
  it.each([
    [['p.yaml'], {}],
    [['p.yaml', '--yes'], {}],
    [['--waves', '1,5%,100%', 'p.yaml'], { waves: '1,5%,100%' }],
    [['p.yaml', '--within', '05'], { within: '05' }],
    [['p.yaml', '--within=1e2'], { within: '1e2' }],
    [['p.yaml', '--budget', '3', '--soak', '5m', '--canary', 'none'], { budget: '3', soak: '5m', canary: 'none' }],
    [['--budget-per', 'zone=2', 'p.yaml'], { 'budget-per': 'zone=2' }],
    [['--budget-per', 'zone=2', '--budget-per=pool=10%', 'p.yaml'], { 'budget-per': 'zone=2,pool=10%' }],
    [['p.yaml', '--on-stop', 'undoRun', '--order', 'shuffled'], { 'on-stop': 'undoRun', order: 'shuffled' }],
    [['p.yaml', '--onStop', 'undoRun'], { 'on-stop': 'undoRun' }],
    [['p.yaml', '--pause', 'after 1, 3'], { pause: 'after 1, 3' }],
    [['p.yaml', '--window', 'none', '--gate', 'none', '--hooks', 'none', '--pause', 'none'], { window: 'none', gate: 'none', hooks: 'none', pause: 'none' }],
    [['p.yaml', '--waves', ''], { waves: '' }],
  ])('%j', async (words, flags) => {
    expect(await typed(words)).toEqual({ playbook: 'p.yaml', flags });
  });

  it.each([
    [['p.yaml', '--waves', '1', '--waves', '100%'], '--waves: expected one value, got 2: 1, 100%'],
    [['p.yaml', '--order', 'name', '--order', 'name'], '--order: expected one value, got 2: name, name'],
    [['p.yaml', '--order', 'random'], 'Invalid values'],
    [['p.yaml', '--window', '02:00'], 'Invalid values'],
    [['p.yaml', '--no-gate'], 'Invalid values'],
    [['p.yaml', '--budget'], 'Not enough arguments following: budget'],
    [['p.yaml', '--within-all', '5'], 'Unknown argument'],
  ])('refused: %j', async (words, message) => {
    await expect(typed(words)).rejects.toThrow(message);
  });

  it('every flag is known to the reader of the playbook', async () => {
    const words = [
      '--waves', '1,100%', '--within', '5', '--canary', 'pool', '--order', 'name', '--budget', '2', '--budget-per', 'zone=1', '--on-stop', 'undoWave',
      '--soak', '1s', '--pause', 'after 1', '--window', 'none', '--gate', 'none', '--hooks', 'none',
    ];
    const { flags } = await typed(['p.yaml', ...words]);
    expect(Object.keys(flags)).toHaveLength(words.length / 2);
    expect(policyOf(undefined, flags)).toEqual({
      waves: [{ unit: 'hosts', count: 1 }, { unit: 'percent', percent: 100 }], within: { unit: 'hosts', count: 5 }, canary: { by: ['pool'] }, order: 'name',
      budget: { run: { unit: 'hosts', count: 2 }, per: [{ label: 'zone', share: { unit: 'hosts', count: 1 } }] }, onStop: 'undoWave', soakMs: 1_000,
      pauseAfter: [1], hooks: {},
    });
  });
});
