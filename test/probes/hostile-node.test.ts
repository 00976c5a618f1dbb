/** What an audit of a hostile node costs: it ends, whatever that node says of its command line. */
import { expect, it } from 'vitest';
import { surveyKubelet } from '../../src/kubelet/survey.js';
import type { NodeCase } from './case-schema.js';
import { askCase } from './ask-case.js';

const numbered = (count: number, text: string): string[] => Array.from({ length: count }, (_, index) => `${text}${index}`);

it.each<[string, string[], string[], string]>([
  ['thousands of words with specifiers against tens of thousands of others', numbered(9000, 'x%H'), numbered(40_000, 'a'), 'with x%H0 x%H1'],
  ['thousands of words on both sides, none of them the same', numbered(15_000, 'b'), numbered(40_000, 'a'), 'with b0 b1'],
])('drift is found in one go: %s', (_, predicted, running, part) => {
  const node: NodeCase = { fragment: `[Service]\nExecStart=/usr/bin/kubelet ${predicted.join(' ')}\n`, dropIns: {}, process: { argv: ['/usr/bin/kubelet', ...running] } };
  const { result } = askCase(surveyKubelet('kubelet.service'), node);
  if (result.state !== 'running') throw new Error('the kubelet of the case runs');
  expect(result.drift).toEqual([expect.stringContaining(part) as string]);
});
