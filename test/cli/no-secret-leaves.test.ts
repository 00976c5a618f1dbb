/** A secret that lies on every node in many places stands in no output of an audit, a plan, an apply, or a story. The bytes to act on stay whole. */
import { readFileSync, readdirSync } from 'node:fs';
import { Writable } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { jsonDocument, plainEvidence, renderDocument } from '../../src/cli/json-document.js';
import { showFindings } from '../../src/cli/show-findings.js';
import { showPlans } from '../../src/cli/show-plans.js';
import { showResults } from '../../src/cli/show-results.js';
import { showStory } from '../../src/cli/run-story.js';
import { isHostEntry } from '../../src/core/journal.js';
import { fold } from '../../src/core/fold.js';
import { changeKey, groupPlans } from '../../src/core/group-plans.js';
import { GENERAL_RULE, redactText, type SecretRule } from '../../src/core/redact.js';
import { redactEvent } from '../../src/core/redact-value.js';
import type { Playbook } from '../../src/core/playbook.js';
import { auditFleet } from '../../src/engine/survey-fleet.js';
import { createLinesReporter } from '../../src/reporters/lines.js';
import { createNdjsonReporter } from '../../src/reporters/ndjson.js';
import { createRig, loadRealPlaybook } from '../engine/rig.js';
import type { FakeNode } from '../fake/fake-node.js';
import { aksEnvironment, aks, eksAl2, jsonConfig, kubeadm, kubeadmYaml, type NodeSpec } from '../fake/layouts.js';

const SECRET = 'Zq7Kp2Wm9Xv4Tr8Nb3Lc6Hs5';
const ZERO = 'streamingConnectionIdleTimeout';
const plain = (_: string, text: string): string => text;
let playbook: Playbook;

beforeAll(async () => { playbook = await loadRealPlaybook(); });

/** The same ailments with another secret. `dies`: ends with a failure whose detail quotes the node's own words. */
function fleetWith(secret: string): NodeSpec[] {
  const unit = String(eksAl2.files['/etc/systemd/system/kubelet.service']);
  return [
    {
      layout: eksAl2, ailment: 'config JSON, drop-in flags',
      files: {
        [eksAl2.configPath]: jsonConfig({ staticPodURLHeader: { Authorization: [`Bearer ${secret}`], 'X-Token': [secret] }, [ZERO]: '0s' }),
        '/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf':
          `[Service]\nEnvironment='KUBELET_ARGS=--node-ip=10.0.7.21 --bootstrap-token=${secret} --streaming-connection-idle-timeout=0 --api-token ${secret}'\nEnvironment="REGISTRY_PASSWORD=${secret} two words"\n`,
      },
    },
    {
      layout: kubeadm, ailment: 'YAML with comments, blocks and anchors',
      files: {
        [kubeadm.configPath]: kubeadmYaml(`sharedToken: &t ${secret}`, 'x-secret: *t', 'privateKey: |', `  ${secret}`, `  second line ${secret}`, `${ZERO}: 0s`, `proxy: "http://bob:${secret}@proxy:3128/"`),
      },
    },
    { layout: aks, ailment: 'environment file', files: { '/etc/default/kubelet': aksEnvironment(`--token=${secret}`, '--streaming-connection-idle-timeout=0', `--client-secret=${secret}`) } },
    {
      layout: eksAl2, ailment: 'dies with the new value, so its log is quoted', faults: [{ kind: 'refuse', whenTimeout: '4h0m0s' }],
      files: {
        [eksAl2.configPath]: jsonConfig({ [ZERO]: '0s' }),
        '/etc/systemd/system/kubelet.service': unit.replace('Kubernetes Kubelet', `Kubernetes Kubelet token=${secret}`).replace('$KUBELET_ARGS', `--token ${secret} $KUBELET_ARGS`),
      },
    },
    { layout: aks, ailment: 'the file moves under it', files: { '/etc/default/kubelet': aksEnvironment(`--token=${secret}`, '--streaming-connection-idle-timeout=0') } },
  ];
}

/** Nodes whose logs tell the secret, and one whose file changed under the running kubelet. */
function gossip(nodes: readonly FakeNode[], secret: string): void {
  nodes.at(-1)?.files.seed('/etc/default/kubelet', aksEnvironment(`--token=${secret}New`, `--bootstrap-token ${secret}`));
  for (const node of nodes) {
    const ask: FakeNode['ask'] = (query, asker) => {
      const answer = asked(query, asker);
      if (!answer.ok || answer.ask !== 'status') return answer;
      return { ...answer, value: { ...answer.value, text: `${answer.value.text}\nkubelet[9]: err="bad token=${secret}" header="Authorization: Bearer ${secret}"\n--api-key ${secret}` } };
    };
    const asked = node.ask;
    Object.assign(node, { ask });
  }
}

/** Every text that a person or a program can read of a whole life of the fleet. */
async function everyOutput(secret: string, rule: SecretRule): Promise<{ shown: Record<string, string>; acted: string; keys: string[] }> {
  const rig = createRig(fleetWith(secret), { playbook, arrange: (nodes) => { gossip(nodes, secret); } });
  const audited = await auditFleet(rig.hosts, rig.ports);
  const planned = await rig.plan();
  const results = await rig.apply(planned);
  const plans = planned.flatMap(({ value }) => (value ? [value] : []));
  const findings = audited.flatMap(({ host, value }) => (value ? [{ host: host.name, finding: value }] : []));
  const withPlans = planned.map(({ host, value }) => ({ host: host.name, ...(value ? { plan: value } : {}) }));
  const evidence = audited.map((one) => ({ host: one.host, evidence: plainEvidence(one.evidence), finding: one.value }));
  const stories = rig.hosts.map(({ name }) => {
    const entries = rig.entries.filter(isHostEntry).filter((entry) => entry.host === name);
    return showStory('run-1', { host: name, state: fold(entries), standing: 'ended', open: false }, entries, plain);
  });
  const text = (value: string): string => redactText(value, rule);
  return {
    acted: JSON.stringify(plans),
    keys: plans.map(changeKey),
    shown: {
      findings: text(showFindings(findings, plain)), plans: text(showPlans(withPlans, plain)), results: text(showResults(results, plain)), stories: text(stories.join('\n')),
      'audit json': renderDocument(jsonDocument(evidence, { withBytes: false }), rule),
      'audit json with bytes': decoded(renderDocument(jsonDocument(evidence, { withBytes: true }), rule)),
      'plan json': renderDocument(jsonDocument(withPlans, { withBytes: false }), rule),
      'results json': renderDocument(jsonDocument({ results, entries: rig.entries }, { withBytes: false }), rule),
      ndjson: reported(createNdjsonReporter), lines: reported(createLinesReporter),
      diffs: plans.flatMap((plan) => plan.steps.flatMap((step) => (step.phase === 'change' ? [step.diff] : []))).join('\n'),
    },
  };

  function reported(create: typeof createNdjsonReporter): string {
    let out = '';
    const reporter = create(new Writable({ write: (chunk: Buffer, _, done) => { out += chunk.toString(); done(); } }));
    for (const event of rig.events) reporter.on(redactEvent(event, rule));
    return out;
  }
}

/** Base64 hides nothing from a reader. */
function decoded(json: string): string {
  return json.replaceAll(/"base64": "([^"]*)"/g, (_, bytes: string) => Buffer.from(bytes, 'base64').toString('latin1'));
}

/** In plain, and as base64 of any text around it. */
function piecesOf(secret: string): string[] {
  const plainPieces = Array.from({ length: secret.length - 7 }, (_, index) => secret.slice(index, index + 8));
  const encoded = ['', 'a', 'ab'].map((before) => Buffer.from(`${before}${secret}`).toString('base64').slice(4, 28));
  return [...plainPieces, ...encoded];
}

describe('a secret on the nodes', () => {
  it('stands in no output, not even eight characters of it', async () => {
    const { shown, acted } = await everyOutput(SECRET, GENERAL_RULE);
    expect(piecesOf(SECRET).some((piece) => acted.includes(piece)), 'what is acted on holds it').toBe(true);
    for (const [name, text] of Object.entries(shown)) {
      expect(text, `${name} would show it`).toContain('[redacted');
      for (const piece of piecesOf(SECRET)) {
        const at = text.indexOf(piece);
        expect(at === -1 ? '' : text.slice(Math.max(0, at - 120), at + 60), `${name} shows ${piece}`).toBe('');
      }
    }
    expect(shown['diffs']).toContain('[redacted 1]');
    expect(shown['ndjson']).not.toContain('"content"');
  });

  it('is the only difference: then hosts fold into one change, and their plans are not the same', async () => {
    const [one, other] = [await everyOutput(SECRET, GENERAL_RULE), await everyOutput(`${SECRET}Other1`, GENERAL_RULE)];
    expect(one.keys).toEqual(other.keys);
    expect(one.acted).not.toBe(other.acted);
    const rig = createRig([...fleetWith(SECRET).slice(0, 1), ...fleetWith(`${SECRET}Other1`).slice(0, 1)], { playbook });
    const plans = (await rig.plan()).flatMap(({ value }) => (value ? [value] : []));
    expect(groupPlans(plans).map((group) => group.hosts)).toEqual([['node-1', 'node-2']]);
  });
});

describe('the command line', () => {
  it('writes in one place only, where secrets are hidden', () => {
    const folder = new URL('../../src/cli/', import.meta.url);
    const writers = readdirSync(folder).filter((name) => /process\.(stdout|stderr)\.write|console\./.test(readFileSync(new URL(name, folder), 'utf8')));
    expect(writers).toEqual(['outlet.ts']);
  });
});
