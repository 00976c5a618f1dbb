/** The whole command line over real SSH: what a playbook names as secret is hidden in what `audit` and `plan` print, and from hooks and gates. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { runCommandLine } from '../../src/cli/index.js';
import { type EmbeddedFleet, startEmbeddedFleet } from '../demo/embedded-fleet.js';
import { eksAl2, jsonConfig } from '../fake/layouts.js';

const PLAYBOOK = new URL('../../playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml', import.meta.url);
const SECRET = 'Zq7Kp2Wm9Xv4Tr8Nb3Lc6Hs5';
let directory: string;
let fleet: EmbeddedFleet;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fleetmend-secrets-'));
  const files = { [eksAl2.configPath]: jsonConfig({ kubeApiPin: SECRET, xToken: SECRET, streamingConnectionIdleTimeout: '0s' }) };
  fleet = await startEmbeddedFleet(directory, [{ name: 'node-1', pool: 'a', spec: { layout: eksAl2, ailment: 'zero', files } }]);
  await writeFile(join(directory, 'playbook.yaml'), `redact: [kubeApiPin]\n${await readFile(PLAYBOOK, 'utf8')}`);
});
afterEach(async () => {
  await fleet.stop();
  await rm(directory, { recursive: true, force: true });
});

it.each([['plan', 'text'], ['plan', 'json'], ['audit', 'json']])('%s -o %s', async (command, output) => {
  let out = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation(((chunk: string, done?: () => void) => { out += chunk; done?.(); return true; }) as never);
  try {
    const evidence = command === 'audit' ? ['--evidence'] : [];
    await runCommandLine([command, join(directory, 'playbook.yaml'), '-i', fleet.inventoryPath, '--known-hosts', fleet.knownHostsPath, '-o', output, ...evidence]);
  } finally {
    spy.mockRestore();
    process.exitCode = 0;
  }
  const readable = out.replaceAll(/"base64": "([^"]*)"/g, (_, bytes: string) => Buffer.from(bytes, 'base64').toString('latin1'));
  expect(readable).toContain(command === 'plan' ? 'kubeApiPin' : '"redacted": true');
  expect(readable).toContain('[redacted');
  expect(readable).not.toContain(SECRET.slice(0, 8));
  expect(readable).not.toContain(Buffer.from(SECRET).toString('base64').slice(0, 12));
  if (output === 'json') expect(() => { JSON.parse(out); }).not.toThrow();
});

it('hooks and gates are not told a secret parameter', async () => {
  const VALUE = '3h7m11s';
  vi.stubEnv('XDG_STATE_HOME', join(directory, 'state'));
  const heard = join(directory, 'heard');
  const tell = `{ run: [sh, -c, "cat >> ${heard}; echo >> ${heard}"] }`;
  const rollout = `rollout: { waves: [100%], canary: none, budget: none, hooks: { beforeRun: ${tell}, beforeHost: ${tell}, afterHost: ${tell}, afterRun: ${tell} } }\n`;
  const text = (await readFile(PLAYBOOK, 'utf8')).replace(/^(\s*(?:-\s*)?for:\s*)\S+/gm, '$12s').replace(/^rollout:\n(?: .*\n)+/m, () => rollout).replace('nonZero: true', 'nonZero: true\n    secret: true');
  const playbook = join(directory, 'hooks.yaml');
  await writeFile(playbook, text);
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation(((_: string, done?: () => void) => { done?.(); return true; }) as never);
  try {
    await runCommandLine(['apply', playbook, '-i', fleet.inventoryPath, '--known-hosts', fleet.knownHostsPath, '--yes', '-o', 'json', '--set', `timeout=${VALUE}`]);
    expect(process.exitCode).toBe(0);
  } finally {
    spy.mockRestore();
    vi.unstubAllEnvs();
    process.exitCode = 0;
  }
  const told = (await readFile(heard, 'utf8')).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as { hook: string; steps?: string[] });
  expect(told.map(({ hook }) => hook)).toEqual(['beforeRun', 'beforeHost', 'afterHost', 'afterRun']);
  expect(told[1]?.steps?.join('\n')).toContain('streamingConnectionIdleTimeout to [redacted]');
  expect(JSON.stringify(told)).not.toContain(VALUE);
}, 60_000);
