/** A small run as tests need it: three hosts, one playbook. */
import { readFileSync } from 'node:fs';
import type { Host } from '../../src/core/host.js';
import type { RunRecord } from '../../src/core/run-record.js';

const TEXT = readFileSync(new URL('../../playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml', import.meta.url), 'utf8');

function sampleHost(name: string): Host {
  return { name, address: '192.0.2.1', port: 22, user: 'ops', become: 'sudo', connectTimeoutMs: 10_000, labels: { pool: 'a' } };
}

export function sampleRecord(run = '20260102T030405-abcdef', hosts: readonly string[] = ['node-1', 'node-2', 'node-3']): RunRecord {
  return {
    run, startedAt: '2026-01-02T03:04:05.000Z', by: 'alice@laptop',
    playbook: { name: 'idle timeout', file: 'playbooks/x.yaml', text: TEXT, settings: { timeout: '2h0m0s' } },
    hosts: hosts.map(sampleHost), connection: { hostKeys: 'strict', concurrency: 64 },
  };
}
