/** What holds for every node, whatever is on it. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Finding } from '../../src/core/finding.js';
import { kubeletSetting } from '../../src/probes/index.js';
import { askCase } from './ask-case.js';
import type { ContentCase, NodeCase } from './case-schema.js';

const FLAG = '--streaming-connection-idle-timeout';
const KEY = 'streamingConnectionIdleTimeout';

const value = fc.constantFrom('"0"', '"0s"', '"4h"', '"5m"', '"-4h"', '0', 'null', '"1d"', '14400');
const content: fc.Arbitrary<ContentCase> = fc
  .record({ value: fc.option(value), newer: fc.boolean(), denied: fc.boolean() })
  .map(({ value: member, newer, denied }) => ({
    newer, denied,
    text: `{"kind":"KubeletConfiguration","apiVersion":"kubelet.config.k8s.io/v1beta1"${member === null ? '' : `,"${KEY}":${member}`}}`,
  }));
const flags = fc.subarray([`${FLAG}=0`, `${FLAG}=4h`, `${FLAG}=1d`, '--config-dir=/etc/kubelet.d', '--anonymous-auth=false', '--node-labels=a=b']);

const node: fc.Arbitrary<NodeCase> = fc
  .record({
    flags, running: fc.option(flags), config: fc.option(content), needReload: fc.boolean(), minor: fc.integer({ min: 27, max: 34 }),
    dropIns: fc.dictionary(fc.constantFrom('10-a.conf', '20-b.conf', 'sub/c.conf', 'd.yaml'), content),
    state: fc.constantFrom('running', 'running', 'running', 'failed', 'masked', 'not-found'),
  })
  .map(({ minor, running, dropIns, ...rest }): NodeCase => ({
    ...rest,
    state: rest.state as NonNullable<NodeCase['state']>,
    version: `Kubernetes v1.${minor}.0`,
    files: Object.fromEntries(Object.entries(dropIns).map(([name, file]) => [`/etc/kubelet.d/${name}`, file])),
    ...(running === null ? {} : { process: { argv: ['/usr/bin/kubelet', '--config', '/etc/kubernetes/kubelet/kubelet-config.json', ...running] } }),
  }));

function audit(given: NodeCase): { readonly result: Finding; readonly trips: number } {
  return askCase(kubeletSetting.audit(kubeletSetting.params.parse({ key: KEY, flag: FLAG.slice(2) })), given);
}

it('a pass has a literal and an effective reading that pass, nothing that fails, and no latent crash', () => {
  fc.assert(
    fc.property(node, (given) => {
      const { result } = audit(given);
      if (result.verdict !== 'pass') return;
      expect(result.readings.map((reading) => reading.verdict).slice(0, 2)).toEqual(['pass', 'pass']);
      expect(result.readings.some((reading) => reading.verdict === 'fail' || reading.value === '0s' && reading.name === 'effective')).toBe(false);
      expect(result.latentCrash).toBeUndefined();
    }),
  );
});

it('a fail has a reading that fails; unknown never has a failing reading of a running kubelet', () => {
  fc.assert(
    fc.property(node, (given) => {
      const { result } = audit(given);
      const fails = result.readings.some((reading) => reading.verdict === 'fail');
      if (result.verdict === 'fail') expect(fails).toBe(true);
      if (result.verdict === 'unknown' && (given.state ?? 'running') === 'running') expect(fails).toBe(false);
    }),
  );
});

it('a survey ends after few round trips and asks the same thing the same way twice', () => {
  fc.assert(
    fc.property(node, (given) => {
      const first = audit(given);
      expect(first.trips).toBeLessThanOrEqual(4);
      expect(audit(given)).toEqual(first);
    }),
  );
});
