/** Texts for people: findings, plans, results. */
import { describe, expect, it } from 'vitest';
import { showFindings } from '../../src/cli/show-findings.js';
import { showPlans } from '../../src/cli/show-plans.js';
import { showResults } from '../../src/cli/show-results.js';
import { createPaint } from '../../src/cli/paint.js';
import type { Failed } from '../../src/core/group-failures.js';
import type { Finding } from '../../src/core/finding.js';
import { SAMPLE_STEPS, samplePlan } from '../core/sample-plan.js';

const plain = createPaint({ isTTY: false }, {});
const finding = (verdict: Finding['verdict'], summary: string): Finding => ({
  verdict, summary, expected: 'not 0', actual: '0s', drift: [], notes: ['a note'],
  readings: [{ name: 'literal', value: '0s', verdict: 'fail', source: '/etc/x' }],
});

describe('findings', () => {
  it('hosts that are alike are shown once, failures first', () => {
    const text = showFindings([
      { host: 'n1', finding: finding('pass', 'fine') }, { host: 'n2', finding: finding('fail', 'zero') },
      { host: 'n3', finding: finding('fail', 'zero') }, { host: 'n4', failure: { kind: 'refusedConnection', summary: 'refused' } },
    ], plain);
    expect(text.indexOf('fail  2 hosts: n[2-3]')).toBe(0);
    expect(text).toContain('pass  1 host: n1');
    expect(text).toContain('no answer  1 host: n4\n    refused');
    expect(text.trimEnd().endsWith('4 hosts: 1 pass, 2 fail, 1 no answer')).toBe(true);
  });
  it('a node cannot write to the terminal', () => {
    const text = showFindings([{ host: 'n', finding: finding('fail', 'a\u001b[31mb\u0007\u009b1m') }], createPaint({ isTTY: true }, { TERM: 'xterm' }));
    expect(text).toContain('a[31mb1m');
    expect(text).not.toContain('\u0007');
  });
});

/** One of an audit, a plan and an apply: what each of them says of hosts that failed. */
const TELLERS = {
  audit: (failed: readonly Failed[]) => showFindings(failed, plain),
  plan: (failed: readonly Failed[]) => showPlans(failed, plain),
  apply: (failed: readonly Failed[]) => showResults(failed.map((one) => ({ ...one, outcome: 'unreachable' as const })), plain),
};

describe.each(Object.entries(TELLERS))('failures as told by %s', (_name, tell) => {
  it('show what stands behind them, cleaned and bounded', () => {
    const detail = ['sudo: \u001b[31mno tty', ...Array.from({ length: 20 }, (_, index) => `line ${index}`)].join('\n');
    const text = tell([{ host: 'n', failure: { kind: 'rootRefused', summary: 'no root shell', detail } }]);
    expect(text).toContain('      sudo: [31mno tty\n      line 0');
    expect(text).toContain('13 more lines');
    expect(text).not.toContain('line 8');
  });
  it('of 500 hosts that refuse a password are one reason', () => {
    const failed = Array.from({ length: 500 }, (_, index): Failed => {
      const target = `10.0.${index >> 8}.${index & 255}:22`;
      return { host: `node-${index + 1}`, failure: { kind: 'authentication', summary: `${target} did not let ops in (the password was refused)`, target } };
    });
    const text = tell(failed);
    expect(text.match(/did not let ops in/g)).toHaveLength(1);
    expect(text).toContain('the host did not let ops in');
  });
  it('say of which host the words are where each host has its own', () => {
    const text = tell(['a', 'b'].map((host) => ({ host, failure: { kind: 'rootRefused', summary: 'no root shell', detail: `not on ${host}` } })));
    expect(text).toContain('      as on a; what the others said differs: --output json\n      not on a');
    expect(text).not.toContain('not on b');
  });
});

describe('plans', () => {
  it('show each distinct change once with its diff, steps and what it interrupts', () => {
    const steps = SAMPLE_STEPS.map((step) => (step.id === 'config' && step.phase === 'change' ? { ...step, diff: '--- a\n+++ b\n@@ -1 +1 @@\n-old\r\n+new\u001b[2J\n' } : step));
    const text = showPlans([{ host: 'n1', plan: { ...samplePlan(steps), host: 'n1' } }, { host: 'n2', plan: { ...samplePlan(steps), host: 'n2' } }], plain);
    expect(text.match(/-old/g)).toHaveLength(1);
    expect(text).toContain('change 1  2 hosts: n[1-2]');
    expect(text).toContain('-old\u240d');
    expect(text).toContain('+new[2J');
    expect(text).toContain('restart kubelet.service: once');
    expect(text).toContain('2 hosts: 0 compliant, 2 to change in 1 way, 0 must not be touched, 0 without answer');
  });
  it('say why a host must not be touched, and that a compliant one has nothing to do', () => {
    const refused = { ...samplePlan([]), refusal: { kind: 'drift', summary: 'it moved', next: 'look' } as const };
    const text = showPlans([{ host: 'r', plan: refused }, { host: 'c', plan: { ...samplePlan([]), host: 'c' } }, { host: 'u', failure: { kind: 'dns', summary: 'no such name' } }], plain);
    expect(text).toContain('must not be touched  1 host: r\n  it moved; look');
    expect(text).toContain('compliant  1 host: c: nothing to do');
    expect(text).toContain('no answer  1 host: u\n  no such name');
  });
});

describe('results', () => {
  it('count by outcome and give the reason of every host that is not fine', () => {
    const text = showResults([
      { host: 'n1', outcome: 'changed' }, { host: 'n2', outcome: 'changed' },
      { host: 'n3', outcome: 'restored', failure: { kind: 'unhealthy', summary: 'died', done: 'files restored', next: 'see the journal' } },
    ], plain);
    expect(text).toMatch(/changed\s+2 {2}n\[1-2\]/);
    expect(text).toContain('n3 restored: died; files restored; see the journal');
  });
});

describe('colour', () => {
  it.each<[string, boolean | undefined, NodeJS.ProcessEnv, boolean]>([
    ['a terminal has colour', true, { TERM: 'xterm' }, true],
    ['NO_COLOR has the last word', true, { TERM: 'xterm', NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    ['an empty NO_COLOR is no word', true, { TERM: 'xterm', NO_COLOR: '' }, true],
    ['a pipe has none', false, {}, false],
    ['a pipe has colour when forced', false, { FORCE_COLOR: '1' }, true],
    ['a dumb terminal has none', true, { TERM: 'dumb' }, false],
  ])('%s', (_, isTTY, env, coloured) => {
    expect(createPaint(isTTY === undefined ? {} : { isTTY }, env)('red', 'x') !== 'x').toBe(coloured);
  });
});
