/** What the command line says of the way holds for every host of it: for jump hosts that are hosts of the inventory too, now and when a run is taken up again. */
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HostArguments } from '../../src/cli/host-choices.js';
import { hostsAgain, saidOfHosts } from '../../src/cli/host-choices.js';
import type { Host, HostSsh } from '../../src/core/host.js';
import { parseInventory } from '../../src/sources/inventory-file.js';

const INVENTORY = `groups:
  gates:
    hosts:
      - { name: outer, address: 192.0.2.1, user: ops, port: 2022 }
      - { name: gate, address: 192.0.2.2, identityFile: /k/gate, ssh: { proxyJump: outer, passwordEnv: GATE } }
      - { name: last, address: 192.0.2.3 }
  nodes:
    ssh: { proxyJump: gate }
    hosts: [node-1]
`;
const JUMPS = ['ops@192.0.2.1:2022', '192.0.2.2'];

function load(args: HostArguments = {}): Map<string, HostSsh> {
  return sshOf(parseInventory('/fleet/hosts.yaml', INVENTORY, { home: '/home/me' }, saidOfHosts(args)));
}

function again(args: HostArguments): Map<string, HostSsh> {
  return sshOf(hostsAgain(parseInventory('/fleet/hosts.yaml', INVENTORY, { home: '/home/me' }), args));
}

function sshOf(hosts: readonly Host[]): Map<string, HostSsh> {
  return new Map(hosts.map(({ name, ssh = {} }) => [name, ssh]));
}

describe.each([['read from an inventory', load], ['of a past run', again]])('hosts %s', (_, read) => {
  it.each<[string, HostArguments, object, object]>([
    ['-F none', { sshConfig: 'none' }, { ssh: { config: 'none' } }, { ssh: { config: 'none', password: { from: 'env', name: 'GATE' } } }],
    ['-F FILE', { sshConfig: 'f' }, { ssh: { config: { file: resolve('f') } } }, { ssh: { config: { file: resolve('f') }, password: { from: 'env', name: 'GATE' } } }],
    ['--legacy-algorithms', { legacyAlgorithms: true }, { ssh: { legacyAlgorithms: true, legacyJumps: true } }, { ssh: { legacyAlgorithms: true, legacyJumps: true, password: { from: 'env', name: 'GATE' } } }],
    ['--ask-password', { askPassword: true }, { ssh: { password: { from: 'prompt' } } }, { ssh: { password: { from: 'env', name: 'GATE' } } }],
  ])('%s holds for their jump hosts', (_what, args, outer, gate) => {
    const ssh = read(args).get('node-1');
    expect(ssh?.proxyJump).toEqual(JUMPS);
    expect(ssh?.jumpHosts).toEqual([{ jump: JUMPS[0], name: 'outer', ...outer }, { jump: JUMPS[1], name: 'gate', identityFile: '/k/gate', ...gate }]);
  });
  it('--identity-file is the key for their jump hosts', () => {
    const keys = read({ identityFile: '/k/now' }).get('node-1')?.jumpHosts?.map(({ identityFile }) => identityFile);
    // A key of the inventory may not be there where a run is taken up again.
    expect(keys).toEqual(['/k/now', read === load ? '/k/gate' : '/k/now']);
  });
  it('--proxy-jump is their way, and no other', () => {
    const ssh = read({ proxyJump: 'a@b:1,c', sshConfig: 'none' }).get('node-1');
    expect(ssh).toMatchObject({ proxyJump: ['a@b:1', 'c'], config: 'none' });
    expect(ssh?.jumpHosts ?? []).toEqual([]);
    expect(read({ proxyJump: 'none' }).get('node-1')?.proxyJump).toBe('none');
  });
});

describe('--proxy-jump with a name of the inventory', () => {
  it('means that host: its address, its port, its user, its own way first', () => {
    const hosts = load({ proxyJump: 'x@gate' });
    expect(hosts.get('node-1')?.proxyJump).toEqual([JUMPS[0], 'x@192.0.2.2']);
    expect(hosts.get('last')?.proxyJump).toEqual([JUMPS[0], 'x@192.0.2.2']);
  });
  it('leaves a host that is part of that way its own', () => {
    const hosts = load({ proxyJump: 'gate,last' });
    expect(hosts.get('node-1')?.proxyJump).toEqual([...JUMPS, '192.0.2.3']);
    expect(hosts.get('gate')?.proxyJump).toEqual([JUMPS[0]]);
    expect([hosts.get('outer')?.proxyJump, hosts.get('last')?.proxyJump]).toEqual([undefined, undefined]);
  });
});
