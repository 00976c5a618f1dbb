/** A variable that holds a password is read once and is then in the environment of no program that fleetmend starts. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createScratch } from '../ssh/scratch.js';
import type { Scratch } from '../ssh/scratch.js';
import { run } from './run-command-line.js';

const PLAYBOOK = new URL('../../playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml', import.meta.url).pathname;
const NAMES = ['FM_TEST_LOGIN', 'FM_TEST_BECOME', 'FM_TEST_OTHER', 'FM_TEST_JUMP'];
let scratch: Scratch;

beforeEach(() => {
  scratch = createScratch();
  vi.stubEnv('HOME', scratch.directory);
  vi.stubEnv('SSH_AUTH_SOCK', '');
  for (const name of NAMES) vi.stubEnv(name, 'hunter2-hunter2');
});
afterEach(() => {
  vi.unstubAllEnvs();
  scratch.remove();
});

it.each([
  ['audit', ['audit', PLAYBOOK]],
  ['unlock', ['unlock', '--yes']],
])('neither the ssh program nor a ProxyCommand nor a program for passwords gets it, also where its host is not selected: %s', async (_, words) => {
  const tell = (name: string): string => scratch.write(name, `#!/bin/sh\nenv >>'${scratch.path(`${name}.env`)}'\n[ "$1" = -V ]\n`, 0o755);
  tell('ssh');
  vi.stubEnv('PATH', `${scratch.directory}:${process.env['PATH'] ?? ''}`);
  const config = scratch.write('config', `Host *\n  ProxyCommand ${tell('proxy')}\n`);
  const inventory = scratch.write('inventory.yaml', `groups:
  a:
    become: { method: sudo, passwordEnv: ${NAMES[1]} }
    hosts:
      - { name: by-ssh, transport: openssh }
      - { name: by-proxy, user: u, ssh: { config: '${config}', passwordEnv: ${NAMES[0]} } }
      - { name: by-program, user: u, ssh: { config: '${config}', passwordCommand: ['${tell('program')}'] } }
      - { name: other, user: u, ssh: { config: '${config}', passwordEnv: ${NAMES[2]}, proxyJump: bastion } }
      - { name: bastion, user: u, become: none, ssh: { config: '${config}', passwordEnv: ${NAMES[3]} } }
`);
  const { out, err } = await run(...words, '-i', inventory, '--limit', 'by-*', '-o', 'json', '--known-hosts', scratch.path('known'));
  for (const name of ['ssh', 'proxy', 'program']) {
    const environment = readFileSync(scratch.path(`${name}.env`), 'utf8');
    expect(environment, err + out).toContain(`HOME=${scratch.directory}`);
    for (const secret of [...NAMES, 'hunter2']) expect(environment, name).not.toContain(secret);
  }
});
