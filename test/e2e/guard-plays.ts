/** What is done to one node while a run works on it: cuts of its link, and a controller that comes back at a chosen moment. Judges nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ended, Started } from './fleetmend.js';
import type { Halt } from './guard-halts.js';
import { atGate, closeGate, goOn, openGate, reached, setHalt } from './guard-halts.js';
import { BEGAN, killNow, runOf, sleepUntilMs } from './guard-scenes.js';
import type { Standing } from './guard-truth.js';
import { firesAtMs, guardThrough } from './guard-truth.js';
import type { Stage } from './stage.js';

const RESTART = { tool: 'systemctl', words: 'restart -- kubelet.service' } as const;
/** Right before and right after the one restart. */
export const INSTANTS: Readonly<Record<'before' | 'after', Halt>> = { before: { ...RESTART, when: 'before' }, after: { ...RESTART, when: 'after' } };

export const FAST = { output: 'ndjson', connectTimeout: '2s' } as const;

export interface Played {
  /** From inside, while nobody could reach the node. */
  readonly alone?: Standing;
  readonly run: Ended;
  readonly ended: Standing;
}

export interface Plays {
  /** The link comes back well before the deadline. */
  cutShort(name: string): Promise<Played>;
  /** The link comes back after the guard has fired. `gone`: only after the run has given up too; then a resume. */
  cutLong(name: string, gone: boolean): Promise<Played>;
  /** An act of a visit stands still until the guard is through, and then goes on. */
  actLate(name: string, halt: Halt): Promise<Played>;
  /** The controller is frozen before it can disarm, and woken so long after the moment of firing (before: negative). */
  freezeAndWake(name: string, offsetMs: number): Promise<Played>;
  /** The same with SIGKILL and a resume. */
  killAndTakeUp(name: string, offsetMs: number): Promise<Played>;
  /** Guard and controller stand right before their renames, and are let go in one moment. */
  bothAtOnce(name: string): Promise<Played>;
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

  async function cutLong(name: string, gone: boolean): Promise<Played> {
    const node = stage.node(name);
    const run = await cut(name);
    await guardThrough(node, 120_000);
    const alone = await stand(name);
    const first = gone ? await run.ended : undefined;
    await node.restoreLink();
    if (first === undefined) return { alone, run: await run.ended, ended: await stand(name) };
    if (first.code !== 3) throw new Error(`the run that lost ${name} ended with exit code ${String(first.code)}: ${first.stdout.slice(-800)}`);
    return { alone, run: await stage.past('resume', [runOf(first.stdout)], { output: 'ndjson' }), ended: await stand(name) };
  }

  /** Its own service, before its time. */
  async function fire(name: string): Promise<void> {
    await stage.node(name).mustExec('/usr/bin/systemctl start --no-block "$(basename /run/systemd/transient/fleetmend-guard-*.timer .timer).service"; /usr/bin/systemctl stop "fleetmend-guard-*.timer"');
  }

  async function actLate(name: string, halt: Halt): Promise<Played> {
    const node = stage.node(name);
    setHalt(node, halt);
    const run = stage.start('apply', [name], FAST);
    await reached(node);
    await fire(name);
    await guardThrough(node, 40_000);
    const alone = await stand(name);
    goOn(node);
    return { alone, run: await run.ended, ended: await stand(name) };
  }

  async function freezeAndWake(name: string, offsetMs: number): Promise<Played> {
    const run = stage.start('apply', [name], FAST);
    await run.said(BEGAN.audit);
    run.child.kill('SIGSTOP');
    await sleepUntilMs((await firesAtMs(stage.node(name))) + offsetMs);
    run.child.kill('SIGCONT');
    return { run: await run.ended, ended: await stand(name) };
  }

  async function killAndTakeUp(name: string, offsetMs: number): Promise<Played> {
    const run = stage.start('apply', [name], FAST);
    await run.said(BEGAN.audit);
    await killNow(run);
    const atMs = (await firesAtMs(stage.node(name))) + offsetMs;
    const { stdout } = await run.ended;
    await sleepUntilMs(atMs);
    return { run: await stage.past('resume', [runOf(stdout)], { output: 'ndjson' }), ended: await stand(name) };
  }

  async function bothAtOnce(name: string): Promise<Played> {
    const node = stage.node(name);
    closeGate(node);
    const run = stage.start('apply', [name], FAST);
    await run.said(BEGAN.audit);
    await fire(name);
    await atGate(node, 2);
    openGate(node);
    return { run: await run.ended, ended: await stand(name) };
  }

  return { cutShort, cutLong, actLate, freezeAndWake, killAndTakeUp, bothAtOnce };
}
