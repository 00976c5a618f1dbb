/**
 * The live view on a terminal, drawn by listr2: one line per host, or, when the fleet is longer than
 * the screen, the active and the failed hosts with counts for the rest. A view only: it never decides anything.
 */
import type { DefaultRenderer, ListrTask, SimpleRenderer } from 'listr2';
import { Listr, ListrLogger, ProcessOutput } from 'listr2';
import { countHosts } from '../core/count-hosts.js';
import type { RunEvent, Stage } from '../core/journal.js';
import type { Reporter } from '../core/ports.js';
import type { Frame } from './frame.js';
import { createFrame, cutLine } from './frame.js';
import type { RolloutView } from './rollout-view.js';
import { NO_ROLLOUT, followRollout, headLines } from './rollout-view.js';
import type { HostLine } from './run-model.js';
import { countEnds, follow, isFine } from './run-model.js';

/** What the view needs to know of the screen. */
export interface Screen {
  readonly output: { write(text: string): unknown };
  readonly rows: () => number;
  readonly columns: () => number;
}

export interface TerminalReporter extends Reporter {
  /** Somebody else wrote to the terminal, as a shell does while we are stopped: nothing of that is erased. */
  drawAnew(): void;
}

/** Lines that the hosts leave free: two of the rollout, the counts, what the keyboard says, the cursor's own. */
const SPARE_ROWS = 6;
/** Icon, blank and the last column, which some terminals wrap at. */
const SPARE_COLUMNS = 4;
/** However many events come, the screen is thought about this often. */
const REDRAW_MS = 100;

interface Drawn {
  update(): void;
  finish(): Promise<void>;
}

interface View {
  readonly hosts: ReadonlyMap<string, HostLine>;
  readonly screen: Screen;
  readonly frame: Frame;
}

export function createTerminalReporter(screen: Screen): TerminalReporter {
  const hosts = new Map<string, HostLine>();
  let rollout: RolloutView = NO_ROLLOUT;
  let frame = createFrame(screen);
  let drawn: Drawn | undefined;
  let finished: Promise<void> = Promise.resolve();
  let redraw: NodeJS.Timeout | undefined;
  const start = (stage: Stage): void => {
    frame = createFrame(screen);
    const view = { hosts, screen, frame };
    drawn = hosts.size <= screen.rows() - SPARE_ROWS ? drawEachHost(view) : drawFleet(stage, view);
    redraw = setInterval(() => {
      frame.head(headLines(rollout));
      drawn?.update();
    }, REDRAW_MS);
  };
  const finish = (): void => {
    clearInterval(redraw);
    frame.head(headLines(rollout));
    frame.foot('');
    finished = drawn?.finish() ?? finished;
    drawn = undefined;
  };
  const show = (event: RunEvent): void => {
    if (event.event === 'stageStarted') hosts.clear();
    follow(hosts, event);
    rollout = followRollout(rollout, event);
    if (event.event === 'stageStarted') start(event.stage);
    if (event.event === 'said') frame.say(event.text.split('\n'));
    // At once: somebody types.
    if (event.event === 'prompt') frame.foot(rollout.prompt);
    if (event.event === 'stageFinished') finish();
  };
  return {
    on: show,
    drawAnew: () => { frame.forget(); },
    close: async () => {
      // An input that ended without its last event: the run was killed, and a shell may write here already.
      if (drawn !== undefined) {
        frame.freeze();
        finish();
      }
      await finished;
    },
  };
}

type Task = ListrTask<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

function newListr({ output }: Frame, tasks: Task[]): Listr<unknown, 'default', 'simple'> {
  return new Listr<unknown, 'default', 'simple'>(tasks, {
    concurrent: true,
    exitOnError: false,
    // listr2 would end the process on the first Ctrl-C.
    registerSignalListeners: false,
    renderer: 'default',
    // It asks standard output, which may go to a file: the view has the other one.
    forceTTY: true,
    fallbackRendererCondition: false,
    rendererOptions: {
      logger: new ListrLogger({ processOutput: new ProcessOutput(output, output, { leaveEmptyLine: false }) }),
      collapseErrors: false,
      showErrorMessage: false,
      formatOutput: 'truncate',
    },
  });
}

interface Slot {
  title: (text: string) => void;
  end: (fine: boolean) => void;
}

/** One listr2 task per host: it ends when the host ends. */
function drawEachHost({ hosts, screen, frame }: View): Drawn {
  const slots = new Map<string, Slot>();
  const width = Math.max(...[...hosts.keys()].map((name) => name.length), 0);
  const listr = newListr(frame, [...hosts.keys()].map((host) => ({
    title: host,
    task: (_: unknown, task: { title: string }): Promise<void> =>
      new Promise((resolve, reject) => {
        slots.set(host, {
          title: (text) => { task.title = text; },
          end: (fine) => { if (fine) resolve(); else reject(new Error(host)); },
        });
      }),
  })));
  const run = listr.run();
  const update = (): void => {
    for (const line of hosts.values()) {
      const slot = slots.get(line.host);
      slot?.title(cutLine(titleOf(line, width), screen.columns() - SPARE_COLUMNS));
      if (line.end !== undefined) slot?.end(isFine(line.end));
    }
  };
  return {
    update,
    finish: async () => {
      update();
      for (const slot of slots.values()) slot.end(false);
      await run.catch(() => undefined);
    },
  };
}

function titleOf(line: HostLine, width: number): string {
  const state = line.end ?? line.phase;
  const text = line.text === '' || line.text === state ? '' : `  ${line.text}`;
  return `${line.host.padEnd(width)}  ${state.padEnd(11)}${text}`.trimEnd();
}

/** One listr2 task for the whole fleet: counts, and below them the hosts that matter. */
function drawFleet(stage: Stage, { hosts, screen, frame }: View): Drawn {
  let shown: { title: string } | undefined;
  let end: () => void = () => undefined;
  const listr = newListr(frame, [{
    title: stage,
    task: (_: unknown, task: { title: string }): Promise<void> =>
      new Promise((resolve) => {
        shown = task;
        end = resolve;
      }),
  }]);
  const run = listr.run();
  const draw = (lines: readonly string[]): void => {
    const done = [...hosts.values()].filter((line) => line.end !== undefined).length;
    const counts = `${stage}: ${done} of ${countHosts(hosts.size)} done (${countEnds(hosts.values())})`;
    if (shown !== undefined) shown.title = [counts, ...lines].map((line) => cutLine(line, screen.columns() - SPARE_COLUMNS)).join('\n');
  };
  return {
    update: () => { draw(hostsThatMatter(hosts, screen.rows() - SPARE_ROWS)); },
    // The summary names every host that is not fine: the view leaves only its counts behind.
    finish: async () => {
      draw([]);
      end();
      await run.catch(() => undefined);
    },
  };
}

/** The latest failed hosts and the active ones, as many as fit; the last line counts what did not fit. */
export function hostsThatMatter(hosts: ReadonlyMap<string, HostLine>, rows: number): string[] {
  const all = [...hosts.values()];
  const failed = all.filter((line) => line.end !== undefined && !isFine(line.end));
  const active = all.filter((line) => line.end === undefined && line.phase !== 'waiting');
  const room = Math.max(rows - 1, 1);
  // Neither kind may push the other off the screen.
  const failedRoom = Math.min(failed.length, Math.max(room - active.length, Math.ceil(room / 2)));
  const wanted = [...(failedRoom > 0 ? failed.slice(-failedRoom) : []), ...active.slice(0, room - failedRoom)];
  const width = wanted.reduce((widest, line) => Math.max(widest, line.host.length), 0);
  const lines = wanted.map((line) => titleOf(line, width));
  const hidden = failed.length + active.length - lines.length;
  return hidden > 0 ? [...lines, `... and ${hidden} more`] : lines;
}
