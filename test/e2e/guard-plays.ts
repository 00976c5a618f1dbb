/** What is done to one node while a run works on it: cuts of its link, and a controller that comes back at a chosen moment. Judges nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LabNode } from '../lab/lab.js';
import type { Ended, Started } from './fleetmend.js';
import type { Halt } from './guard-halts.js';
import { atGate, closeGate, goOn, openGate, reached, setHalt } from './guard-halts.js';
import { BEGAN, killNow, runOf } from './guard-scenes.js';
import type { Standing } from './guard-truth.js';
import { guardThrough } from './guard-truth.js';
import type { Stage } from './stage.js';

const RESTART = { tool: 'systemctl', words: 'restart -- kubelet.service' } as const;
/** Right before and right after the one restart. */
export const INSTANTS: Readonly<Record<'before' | 'after', Halt>> = { before: { ...RESTART, when: 'before' }, after: { ...RESTART, when: 'after' } };

export const FAST = { output: 'ndjson', connectTimeout: '3s' } as const;
/** From the freeze on: the kubelet has been well for long enough then, so that only the end of the run is left. */
const SOAKED_MS = 2_500;

export interface Played {
  /** From inside, while nobody could reach the node. */
  readonly alone?: Standing;
  readonly run: Ended;
  readonly ended: Standing;
}

export interface Plays {
  /** The link comes back well before the deadline. */
  cutShort(name: string): Promise<Played>;
  /** The link comes back after the guard was fired. */
  cutLong(name: string): Promise<Played>;
  /** The link comes back after the guard has fired by its own timer and the run has given up too; then a resume. */
  cutForGood(name: string): Promise<Played>;
  /** An act of a visit stands still until the guard is through, and then goes on. */
  actLate(name: string, halt: Halt): Promise<Played>;
  /** The controller is frozen before it can disarm, and woken so long before the guard is fired, as is asked then. */
  freezeAndWake(name: string, leadMs: () => number): Promise<Played>;
  /** The same with SIGKILL and a resume. */
  killAndTakeUp(name: string, leadMs: () => number): Promise<Played>;
  /** Guard and controller stand right before their renames, and are let go in one moment. */
  bothAtOnce(name: string): Promise<Played>;
}

/** The armed guard's own service, before its time: so that no test has to wait for the deadline, which is long enough for a slow machine. */
export async function fireGuard(node: LabNode): Promise<void> {
  await node.mustExec('/usr/bin/systemctl start --no-block "$(basename /run/systemd/transient/fleetmend-guard-*.timer .timer).service" && /usr/bin/systemctl stop "fleetmend-guard-*.timer"');
}

/** Where a controller may have disarmed it in the meantime, there may be nothing left to start. Anything else that stops it is an error. */
async function fireUnlessDisarmed(node: LabNode): Promise<void> {
  await fireGuard(node).catch(async (error: unknown) => {
    if ((await node.exec('ls /var/lib/fleetmend/*/guard/disarmed')).code !== 0) throw error;
  });
}

/** `stand`: how a node stands, looked at from inside. */
export function createPlays(stage: Stage, stand: (name: string) => Promise<Standing>): Plays {
  /** The link is cut while systemctl stands still, which then goes on. */
  async function cut(name: string): Promise<Started> {
    const node = stage.node(name);
    setHalt(node, INSTANTS[name.endsWith('before') ? 'before' : 'after']);
    const run = stage.start('apply', [name], FAST);
    await reached(node);
    await node.cutLink();
    goOn(node);
    return run;
  }

  async function cutShort(name: string): Promise<Played> {
    const run = await cut(name);
    await sleep(8_000);
    await stage.node(name).restoreLink();
    return { run: await run.ended, ended: await stand(name) };
  }

  async function cutLong(name: string): Promise<Played> {
    const node = stage.node(name);
    const run = await cut(name);
    await fireGuard(node);
    await guardThrough(node);
    const alone = await stand(name);
    await node.restoreLink();
    return { alone, run: await run.ended, ended: await stand(name) };
  }

  async function cutForGood(name: string): Promise<Played> {
    const node = stage.node(name);
    const run = await cut(name);
    await guardThrough(node);
    const alone = await stand(name);
    const first = await run.ended;
    if (first.code !== 3) throw new Error(`the run that lost ${name} ended with exit code ${String(first.code)}: ${first.stdout.slice(-800)}`);
    await node.restoreLink();
    return { alone, run: await stage.past('resume', [runOf(first.stdout)], { output: 'ndjson' }), ended: await stand(name) };
  }

  async function actLate(name: string, halt: Halt): Promise<Played> {
    const node = stage.node(name);
    setHalt(node, halt);
    const run = stage.start('apply', [name], FAST);
    await reached(node);
    await fireGuard(node);
    await guardThrough(node);
    const alone = await stand(name);
    goOn(node);
    return { alone, run: await run.ended, ended: await stand(name) };
  }

  async function freezeAndWake(name: string, leadMs: () => number): Promise<Played> {
    const run = stage.start('apply', [name], FAST);
    await run.said(BEGAN.watch);
    run.child.kill('SIGSTOP');
    await sleep(SOAKED_MS);
    run.child.kill('SIGCONT');
    await sleep(leadMs());
    await fireUnlessDisarmed(stage.node(name));
    return { run: await run.ended, ended: await stand(name) };
  }

  async function killAndTakeUp(name: string, leadMs: () => number): Promise<Played> {
    const run = stage.start('apply', [name], FAST);
    await run.said(BEGAN.watch);
    await killNow(run);
    const { stdout } = await run.ended;
    const resumed = stage.past('resume', [runOf(stdout)], { output: 'ndjson' });
    await sleep(leadMs());
    await fireUnlessDisarmed(stage.node(name));
    return { run: await resumed, ended: await stand(name) };
  }

  async function bothAtOnce(name: string): Promise<Played> {
    const node = stage.node(name);
    closeGate(node);
    const run = stage.start('apply', [name], FAST);
    await run.said(BEGAN.audit);
    await fireGuard(node);
    await atGate(node, 2);
    openGate(node);
    return { run: await run.ended, ended: await stand(name) };
  }

  return { cutShort, cutLong, cutForGood, actLate, freezeAndWake, killAndTakeUp, bothAtOnce };
}
