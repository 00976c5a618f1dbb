/** A run keeps every host as the inventory said it, so that a resume on another day finds the way anew. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../src/core/failure.js';
import { parseRunRecord, runRecordText } from '../../src/journals/run-record-text.js';
import { parseInventory } from '../../src/sources/inventory-file.js';
import { sampleRecord } from './sample-run.js';

const EXAMPLE = readFileSync(new URL('../../inventories/example.yaml', import.meta.url), 'utf8');
const MORE = `groups:
  gates: { hosts: [{ name: gate, port: 2201, identityFile: /k, connectTimeout: 3s, ssh: { config: none, proxyJump: none, passwordEnv: GATE } }] }
  nodes:
    ssh: { config: /etc/fleet, proxyJump: 'x@gate', legacyAlgorithms: true }
    become: { method: su, passwordCommand: [pass, '', 'x {host}'], tty: true }
    hosts: [plain, { name: narrow, become: { method: sudo, password: none, tty: false, scope: commands } }, { name: other, transport: openssh, become: none }]
`;
const PLANS = { hosts: 0, sha256: 'a'.repeat(64) };

function recorded(hosts: unknown): string {
  const text = runRecordText(sampleRecord(), PLANS);
  const document = JSON.parse(text) as { record: { hosts: unknown } };
  document.record.hosts = hosts;
  return JSON.stringify(document);
}

describe('the hosts of a run', () => {
  it.each([['the commented example', EXAMPLE], ['every key', MORE]])('come back as they were: %s', (_, text) => {
    const hosts = parseInventory('/fleet/hosts.yaml', text, { home: '/home/me' });
    expect(parseRunRecord('run.json', recorded(hosts)).record.hosts).toEqual(hosts);
  });
  it('of an earlier version are read as they are', () => {
    const old = [{ name: 'n', address: 'n', port: 22, user: 'ops', become: 'sudo', connectTimeoutMs: 10_000, labels: { pool: 'a' } }];
    expect(parseRunRecord('run.json', recorded(old)).record.hosts).toEqual(old);
  });
  it('without a word on host keys, ssh_config decides again', () => {
    const record = { ...sampleRecord(), connection: { concurrency: 64 } };
    expect(parseRunRecord('run.json', runRecordText(record, PLANS)).record.connection).toEqual({ concurrency: 64 });
  });
  it.each([
    ['a secret where its source should stand', { becoming: { password: 'hunter2' } }, /record\/hosts\/0\/becoming\/password: expected a mapping/],
    ['a source that does not exist', { ssh: { password: { from: 'file', name: 'x' } } }, /ssh\/password\/from: expected one of prompt, env, command/],
    ['a source with more than it takes', { ssh: { password: { from: 'prompt', value: 'x' } } }, /ssh\/password\/value: expected one of the keys from/],
    ['a jump host with jump hosts of its own', { ssh: { jumpHosts: [{ jump: 'a', name: 'a', ssh: { proxyJump: ['b'] } }] } }, /jumpHosts\/0\/ssh\/proxyJump/],
    ['a control character', { ssh: { proxyJump: ['a\u001b[2J'] } }, /proxyJump\/0/],
    ['weak algorithms by another word', { ssh: { legacyAlgorithms: 'yes' } }, /legacyAlgorithms: expected true/],
  ])('are refused: %s', (_, members, told) => {
    let thrown: unknown;
    try {
      parseRunRecord('run.json', recorded([{ name: 'n', address: 'n', become: 'sudo', labels: {}, ...members }]));
    } catch (error) {
      thrown = error;
    }
    const { summary, detail = '' } = failureOf(thrown);
    expect(`${summary}\n${detail}`).toMatch(told);
    expect(`${summary}\n${detail}`).not.toContain('\u001b');
  });
});
