/** What people write: inventories, playbooks, host ranges, `--limit`. Every input is read whole or refused with the place of each error. */
import { readdirSync, readFileSync } from 'node:fs';
import type { FleetmendError } from '../../src/core/failure.js';
import { parseGlob, matchGlob } from '../../src/core/glob.js';
import { expandHostRange } from '../../src/core/host-range.js';
import { selectHosts } from '../../src/core/select-hosts.js';
import { findSecrets } from '../../src/kubelet/find-secrets.js';
import * as probes from '../../src/probes/index.js';
import { parseInventory } from '../../src/sources/inventory-file.js';
import { loadPlaybook } from '../../src/sources/playbook-file.js';
import * as steps from '../../src/steps/index.js';
import type { Target } from './explore.js';
import { judge } from './node-targets.js';

const read = (folder: string): string[] =>
  readdirSync(new URL(`../../${folder}/`, import.meta.url)).map((name) => readFileSync(new URL(`../../${folder}/${name}`, import.meta.url), 'utf8'));

/** A message for a person: what was wrong, clean, and not without end. */
function isBadInput({ failure }: FleetmendError): boolean {
  const text = `${failure.summary}\n${failure.detail ?? ''}`;
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text)) throw new Error(`a control code in ${JSON.stringify(text)}`);
  return failure.kind === 'badInput' && text.length < 1_000_000;
}

const WORDS = ['groups:\n', 'hosts:\n', 'defaults:\n', '  - name: ', 'address: ', 'become: sudo', 'port: ', 'labels: {', 'node-[01:09]', '[a:z]', '&a ', '*a', '<<: *a', '__proto__: ', '!!binary ', '? ', '|\n', '---\n', '...\n', '\t', '2147483648'];

const inventory: Target = {
  name: 'inventories',
  sources: ['/src/sources/', '/src/core/host-range.ts'],
  seeds: [...read('inventories'), 'groups: {a: {hosts: [x]}}', 'groups:\n  a:\n    hosts:\n      - node-[1:3]\n'],
  dictionary: WORDS,
  tryInput: (input) => judge(() => {
    const hosts = parseInventory('/f.yaml', input.toString('utf8'), { home: '/home/me' });
    for (const { name, address } of hosts) if (/^-|[^A-Za-z0-9._:-]/.test(name) || /^-|[^A-Za-z0-9._:-]/.test(address)) throw new Error(`a host ${JSON.stringify([name, address])}`);
  }, isBadInput),
};

const playbook: Target = {
  name: 'playbooks',
  sources: ['/src/sources/', '/src/steps/', '/src/probes/'],
  seeds: read('playbooks'),
  dictionary: [...WORDS, 'steps:\n', 'audit:\n', 'rollout:\n', '${param}', '{{ x }}', 'parameters:\n', 'redact: [', 'restart:\n', 'waves: [1, 10%]', 'canary: ', 'budget: '],
  tryInput: (input) => judge(() => loadPlaybook('/p.yaml', input.toString('utf8'), { steps, probes, findSecrets }, {}), isBadInput),
};

const ranges: Target = {
  name: 'host ranges and globs',
  sources: ['/src/core/host-range.ts', '/src/core/glob.ts'],
  seeds: ['node-[01:09]', 'a[01:20:2]b[a:c]', '*a?[x]', 'node-[0:999999999]'],
  dictionary: ['[', ']', '-', ',', '*', '?', '!', '0001', '99999999999999999999', 'a-z'],
  tryInput(input) {
    const text = input.toString('utf8').slice(0, 2000);
    const expanded = expandHostRange(text, 1000);
    if (expanded.ok && expanded.names.length > 1000) throw new Error(`${expanded.names.length} names`);
    const glob = parseGlob(text);
    if (glob.ok) matchGlob(glob.glob, `${text}${'a'.repeat(200)}`);
    return expanded.ok ? 'accepted' : 'refused';
  },
};

const FLEET = parseInventory('/f.yaml', 'groups: {a: {hosts: ["n[1:5]"], labels: {pool: x}}, b: {hosts: [m1]}}', { home: '/' });

const limits: Target = {
  name: 'target expressions',
  sources: ['/src/core/select-hosts.ts'],
  seeds: ['n1', 'n*', 'pool=x,!n2', 'group=a', '!m1'],
  dictionary: ['n1', '*', 'pool=x', 'group=', ',', '!', '[1-2]', '='],
  tryInput: (input) => judge(() => {
    const chosen = selectHosts(FLEET, input.toString('utf8'));
    if (new Set(chosen).size !== chosen.length) throw new Error('a host twice');
  }, isBadInput),
};

export const personTargets: readonly Target[] = [inventory, playbook, ranges, limits];
