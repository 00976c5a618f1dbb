/** Which password a login needs to become root, and which cannot be typed. */
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../src/core/failure.js';
import type { Becoming, BecomeMethod } from '../../src/core/host.js';
import { becomeRequest, checkPassword } from '../../src/host/root-password.js';
import { LOCAL_HOST } from './local-node.js';

const PROMPT: Becoming = { password: { from: 'prompt' } };

describe('the password that is asked for', () => {
  it.each<[BecomeMethod, Becoming | undefined, string | undefined]>([
    ['none', PROMPT, undefined], ['sudo', undefined, undefined], ['sudo', { terminal: 'pty' }, undefined], ['sudo', { ...PROMPT, scope: 'commands' }, undefined],
    ['sudo', PROMPT, 'sudo password of deploy'], ['doas', PROMPT, 'doas password of deploy'], ['su', PROMPT, 'root password'],
  ])('of %s with %j is the %s', (become, becoming, label) => {
    expect(becomeRequest({ ...LOCAL_HOST, user: 'deploy', become, ...(becoming ? { becoming } : {}) })?.label).toBe(label);
  });

  it.each([['', 'empty'], ['a\nb', 'control'], ['a\u0003', 'control'], ['x'.repeat(256), '255 bytes']])('%j is refused before any host, and not shown', (password, why) => {
    let thrown: unknown;
    try {
      checkPassword(password, 'sudo password');
    } catch (error) {
      thrown = error;
    }
    expect(failureOf(thrown)).toMatchObject({ kind: 'badInput', summary: expect.stringContaining(why) as string });
    if (password.length > 3) expect(JSON.stringify(failureOf(thrown))).not.toContain(password);
  });

  it('may hold what a shell would take for more than text', () => {
    expect(checkPassword('a b\'"$(x)`\\é', 'sudo password')).toBe('a b\'"$(x)`\\é');
  });
});
