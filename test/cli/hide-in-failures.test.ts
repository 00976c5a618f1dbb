/** Nothing that a connector says holds a password: neither what it rejects with nor what a node adds in its own words. What decisions rest on stays whole. */
import { describe, expect, it } from 'vitest';
import { hideInFailures } from '../../src/cli/hide-in-failures.js';
import type { Effect, EffectResult } from '../../src/core/effect.js';
import type { Failure } from '../../src/core/failure.js';
import { failureOf, FleetmendError } from '../../src/core/failure.js';
import type { Host } from '../../src/core/host.js';
import { hideKnown } from '../../src/core/known-secrets.js';
import type { Connector, WriteSession } from '../../src/core/ports.js';
import type { Answer } from '../../src/core/query.js';

const SECRET = 'hunter2-hunter2';
const host: Host = { name: 'a', address: 'a', become: 'none', labels: {} };
const never = new AbortController().signal;
const effect: Effect = { do: 'unlock', run: 'r' };
const failure: Failure = { kind: 'protocol', summary: `said ${SECRET}`, detail: `a\n${SECRET}`, done: `after ${SECRET}`, next: `look at ${SECRET}` };
const hidden: Failure = { kind: 'protocol', summary: 'said [redacted]', detail: 'a\n[redacted]', done: 'after [redacted]', next: 'look at [redacted]' };

function discreet(parts: Partial<WriteSession> & Partial<Connector>): Connector {
  const session: WriteSession = {
    hostKey: 'SHA256:x', ask: () => Promise.resolve([]), perform: () => Promise.resolve({ ok: true, happened: 'now' }), close: () => Promise.resolve(), ...parts,
  };
  return hideInFailures({ openToRead: () => Promise.resolve(session), openToWrite: () => Promise.resolve(session), ...parts }, (text) => hideKnown(text, [SECRET]));
}

describe('what it rejects with', () => {
  const reject = (): Promise<never> => Promise.reject(new FleetmendError(failure, { cause: new Error(SECRET) }));
  it.each<[string, (connector: Connector) => Promise<unknown>]>([
    ['opening to read', (connector) => connector.openToRead(host, never)],
    ['opening to write', (connector) => connector.openToWrite(host, never)],
  ])('%s', async (_, act) => {
    const thrown = await act(discreet({ openToRead: reject, openToWrite: reject })).catch((error: unknown) => error);
    expect(failureOf(thrown)).toEqual(hidden);
    expect((thrown as Error).cause).toBeUndefined();
    expect(String((thrown as Error).stack)).not.toContain(SECRET);
  });
  it.each<[string, (session: WriteSession) => Promise<unknown>]>([
    ['asking', (session) => session.ask([])],
    ['performing', (session) => session.perform(effect)],
    ['closing', (session) => session.close()],
  ])('%s', async (_, act) => {
    const session = await discreet({ ask: reject, perform: reject, close: reject }).openToWrite(host, never);
    expect(failureOf(await act(session).catch((error: unknown) => error))).toEqual(hidden);
  });
  it('also of an error that nobody foresaw', async () => {
    const session = await discreet({ ask: () => Promise.reject(new Error(`no ${SECRET}`)) }).openToRead(host, never);
    const shown = failureOf(await session.ask([]).catch((error: unknown) => error));
    expect(shown).toMatchObject({ kind: 'bug', summary: 'unexpected error: no [redacted]' });
    expect(shown.detail).not.toContain(SECRET);
  });
  it('is thrown as it is where there is nothing to hide', async () => {
    const error = new FleetmendError({ kind: 'timeout', summary: 'late' });
    await expect(discreet({ openToRead: () => Promise.reject(error) }).openToRead(host, never)).rejects.toBe(error);
  });
});

describe('what a node says', () => {
  const bytes = Buffer.from(SECRET);
  const file = { ok: true, ask: 'file', value: { exists: true, kind: 'file', realPath: `/${SECRET}`, viaLink: false, mode: 0, uid: 0, gid: 0, size: 1, links: 1, inode: '1', modifiedAt: 1, bytes } } as const;
  it.each<[string, Answer, Answer]>([
    ['why it gives no answer', { ok: false, ask: 'file', reason: 'failed', detail: `no ${SECRET}` }, { ok: false, ask: 'file', reason: 'failed', detail: 'no [redacted]' }],
    ['a status', { ok: true, ask: 'status', value: { exit: 3, text: SECRET } }, { ok: true, ask: 'status', value: { exit: 3, text: '[redacted]' } }],
    ['the report of a guard', { ok: true, ask: 'guard', value: { state: 'fired', report: SECRET } }, { ok: true, ask: 'guard', value: { state: 'fired', report: '[redacted]' } }],
    ['why a file cannot be written', { ok: true, ask: 'writable', value: { writable: false, reason: 'immutable', detail: SECRET } }, { ok: true, ask: 'writable', value: { writable: false, reason: 'immutable', detail: '[redacted]' } }],
    ['a file stays as it is', file, file],
  ])('%s', async (_, answer, shown) => {
    for (const session of [await discreet({ ask: () => Promise.resolve([answer]) }).openToRead(host, never), await discreet({ ask: () => Promise.resolve([answer]) }).openToWrite(host, never)]) {
      expect(await session.ask([])).toEqual([shown]);
    }
  });
  it.each<[EffectResult, EffectResult]>([
    [{ ok: true, happened: 'now', detail: SECRET }, { ok: true, happened: 'now', detail: '[redacted]' }],
    [{ ok: false, effect: 'none', reason: 'exit', detail: SECRET, exit: 1 }, { ok: false, effect: 'none', reason: 'exit', detail: '[redacted]', exit: 1 }],
    [{ ok: true, happened: 'already' }, { ok: true, happened: 'already' }],
  ])('of an effect: %o', async (result, shown) => {
    expect(await (await discreet({ perform: () => Promise.resolve(result) }).openToWrite(host, never)).perform(effect)).toEqual(shown);
  });
});
