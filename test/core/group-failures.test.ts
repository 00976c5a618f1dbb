/** Hosts that failed alike are one reason. */
import { expect, it } from 'vitest';
import type { Failure } from '../../src/core/failure.js';
import { groupFailures } from '../../src/core/group-failures.js';
import { authenticationFailure, barredPasswordFailure } from '../../src/ssh/login-failures.js';
import { connectTimeoutFailure, dnsFailure, handshakeTimeoutFailure, noCommonAlgorithmFailure, refusedFailure, targetOf } from '../../src/ssh/failures.js';
import { hostKeyUnknownFailure } from '../../src/ssh/host-key-failures.js';
import { unreachableFromFailure } from '../../src/ssh/jump-failures.js';
import type { Hop } from '../../src/ssh/route.js';

const hopAt = (address: string): Hop => ({ name: address, address, port: 22, user: 'ops', hostKeys: { files: [] } }) as unknown as Hop;
const GATE = hopAt('gate');
const ADDRESSES = ['10.0.0.1', '10.0.0.11', '10.0.0.111', 'node-1.example', 'fd00::7'];

const ALIKE: Readonly<Record<string, (host: Hop) => Failure>> = {
  'a wrong password': (host) => authenticationFailure(host, 'the password was refused', { tried: ['password'], remarks: [] }, 'check it'),
  'a password that is not sent again': (host) => barredPasswordFailure(host, { by: 'others', names: ['a', 'b', 'c'] }),
  'no answer': (host) => connectTimeoutFailure(host, 'no answer within 10000 ms'),
  'no route from a jump host': (host) => unreachableFromFailure(host, GATE, 'No route to host'),
  'a closed port': (host) => refusedFailure(host, 'ECONNREFUSED'),
  'a handshake without end': (host) => handshakeTimeoutFailure(host, 30_000, ''),
  'old algorithms': (host) => noCommonAlgorithmFailure(host, 'cipher', ['arcfour'], ['aes256-ctr']),
  'a name that is none': (host) => dnsFailure(host, 'ENOTFOUND'),
};

const failed = (make: (host: Hop) => Failure) => ADDRESSES.map((address, index) => {
  const hop = hopAt(address);
  return { host: `n${index}`, failure: { target: targetOf(hop), ...make(hop) } };
});

it.each(Object.entries(ALIKE))('%s on many hosts is one reason, which names none of them', (_name, make) => {
  const groups = groupFailures(failed(make));
  expect(groups.map(({ hosts, differs }) => [hosts, differs])).toEqual([[['n0', 'n1', 'n2', 'n3', 'n4'], false]]);
  const text = JSON.stringify(groups[0]?.failure);
  expect(text).toContain('the host');
  for (const address of ADDRESSES) expect(text).not.toContain(address);
});

it('one host alone is told with its address', () => {
  const [only] = failed((host) => refusedFailure(host, 'ECONNREFUSED'));
  expect(groupFailures(only ? [only] : []).map(({ failure }) => failure.summary)).toEqual(['10.0.0.1:22 refused the connection (ECONNREFUSED)']);
});

it('host keys that differ stay single: each is compared by itself', () => {
  const groups = groupFailures(failed((host) => hostKeyUnknownFailure(host, { keyType: 'ssh-ed25519', fingerprint: `SHA256:of ${host.name}` }, '/known_hosts', [])));
  expect(groups.map(({ hosts }) => hosts.length)).toEqual([1, 1, 1, 1, 1]);
});

it('what stands behind a failure makes no group of its own, and is said to differ', () => {
  const make = (host: string, detail: string) => ({ host, failure: { kind: 'rootRefused', summary: 'sudo gave ops no root shell', detail } as const });
  expect(groupFailures([make('a', 'ops may not run sudo on a'), make('b', 'ops may not run sudo on b')])).toEqual([
    { hosts: ['a', 'b'], differs: true, failure: make('a', 'ops may not run sudo on a').failure },
  ]);
});
