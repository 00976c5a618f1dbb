/** When a password may be sent: never twice to a host that refused it, never to many before one accepted it. */
import { expect, it } from 'vitest';
import { createPasswordTrials } from '../../src/core/password-trials.js';
import type { Barrier, Trial, TrialHost } from '../../src/core/password-trials.js';

const at = (name: string): TrialHost => ({ key: name, name });
const hosts = Array.from({ length: 20 }, (_, index) => at(`host-${index}`));
const begun = async (work: Promise<Trial | Barrier>): Promise<Trial> => {
  const got = await work;
  if ('by' in got) throw new Error(`barred: ${got.by}`);
  return got;
};
/** Lets all that is ready go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('a password that is wrong everywhere is sent to three hosts of a fleet', async () => {
  const trials = createPasswordTrials();
  const sent = await Promise.all(hosts.map(async (host) => {
    const trial = await trials.begin(host, 'wrong');
    await settle();
    if ('end' in trial) trial.end('refused');
    return 'end' in trial;
  }));
  expect(sent.filter(Boolean)).toHaveLength(3);
  expect(trials.barrier(at('another'), 'wrong')).toEqual({ by: 'others', names: ['host-0', 'host-1', 'host-2'] });
});

it('a password that one host accepted goes to all others at once, whatever a few refuse', async () => {
  const trials = createPasswordTrials();
  const running: Trial[] = [];
  const all = hosts.map(async (host) => running.push(await begun(trials.begin(host, 'right'))));
  await settle();
  expect(running).toHaveLength(3);
  running[0]?.end('accepted');
  await Promise.all(all);
  for (const trial of running.slice(1, 9)) trial.end('refused');
  expect(running).toHaveLength(hosts.length);
  expect(await trials.begin(at('another'), 'right')).toHaveProperty('end');
});

it('a password that a host refused is never sent to it again, also when others accept it', async () => {
  const trials = createPasswordTrials();
  (await begun(trials.begin(at('a'), 'one'))).end('accepted');
  (await begun(trials.begin(at('b'), 'one'))).end('refused');
  expect(await trials.begin(at('b'), 'one')).toEqual({ by: 'refused' });
  expect(await trials.begin(at('a'), 'one')).toHaveProperty('end');
  expect(await trials.begin(at('b'), 'two')).toHaveProperty('end');
  expect(['a', 'b'].map((host) => trials.hasAccepted(at(host), 'one'))).toEqual([true, false]);
});

it('a password that was sent and never answered for is not sent to that host again', async () => {
  const trials = createPasswordTrials();
  (await begun(trials.begin(at('a'), 'x'))).end('unanswered');
  expect([trials.barrier(at('a'), 'x'), trials.barrier(at('b'), 'x')]).toEqual([{ by: 'unanswered' }, undefined]);
  expect(await trials.begin(at('a'), 'x')).toEqual({ by: 'unanswered' });
});

it('a password that was not sent after all makes room for the next', async () => {
  const trials = createPasswordTrials();
  const first = await Promise.all(['a', 'b', 'c'].map((host) => begun(trials.begin(at(host), 'x'))));
  const next = trials.begin(at('d'), 'x');
  first[0]?.end('unsent');
  expect(await next).toHaveProperty('end');
});
