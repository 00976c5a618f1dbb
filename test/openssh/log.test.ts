/** What a log of `ssh` means, case by case; the real program is held to the same table in transport.test.ts. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Host } from '../../src/core/host.js';
import { explainEnd } from '../../src/openssh/explain-end.js';
import { EMPTY_LOG, hasReached, readLogLine } from '../../src/openssh/read-log-line.js';
import { hostAt } from '../ssh/scratch.js';

interface Case {
  readonly name: string;
  readonly host?: Partial<Host>;
  readonly log: readonly string[];
  readonly stderr?: string;
  readonly kind: string;
  readonly summary?: string;
  readonly detail?: string;
}

const cases = parse(readFileSync(new URL('log.cases.yaml', import.meta.url), 'utf8')) as readonly Case[];

it.each(cases)('$name', ({ host, log, stderr = '', kind, summary, detail }) => {
  const failure = explainEnd(hostAt(22, host), { code: 255, facts: log.reduce(readLogLine, EMPTY_LOG), stderr });
  expect(failure.kind).toBe(kind);
  expect(failure.next).toBeTruthy();
  expect(failure.summary).toContain(summary ?? '');
  if (detail !== undefined) expect(failure.detail?.split('\n')).toContain(detail);
});

describe('what a log may hold', () => {
  it('grows no further than its bounds, whatever is written into it', () => {
    const lines = Array.from({ length: 5000 }, (_, at) => [`word ${at}`, `debug1: Offering public key: ${at}`, `debug1: Server host key: x SHA256:${String(at).padStart(43, 'A')}`]).flat();
    const facts = lines.reduce(readLogLine, EMPTY_LOG);
    expect([facts.words.length, facts.offered.length, facts.hostKeys.length]).toEqual([12, 20, 2]);
  });

  it('a stage is never taken back', () => {
    const facts = ['debug1: Sending command: x', 'debug1: Connecting to h [10.0.0.1] port 22.'].reduce(readLogLine, EMPTY_LOG);
    expect(hasReached(facts, 'running')).toBe(true);
  });
});
