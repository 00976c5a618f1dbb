/**
 * `node --import tsx test/picture/picture.ts`: makes test/picture/terminal.svg, the picture of the README, from a real run of
 * the demo in a real terminal (tmux, which must be installed). Never draws what was not on the screen.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { svgOf } from './svg.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOCKET = `fleetmend-picture-${process.pid}`;
const COLUMNS = 112;
const ROWS = 30;
const DEADLINE_MS = 120_000;

function tmux(...words: string[]): string {
  return execFileSync('tmux', ['-L', SOCKET, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

/** The frame of the apply stage on which most hosts have ended and some have not, before it is killed; then all that was printed. */
async function record(): Promise<{ live: string; printed: string }> {
  tmux('new-session', '-d', '-x', String(COLUMNS), '-y', String(ROWS), `cd '${ROOT}' && FORCE_COLOR=1 npm run --silent demo; sleep 60`);
  let live = '';
  let best = -1;
  const started = Date.now();
  for (;;) {
    const frame = tmux('capture-pane', '-p', '-e');
    const printed = tmux('capture-pane', '-p', '-e', '-S', '-2000');
    const plain = withoutColours(frame);
    const ended = plain.match(/^ *[\u2714\u2716] node-/gm)?.length ?? 0;
    const active = plain.match(/(changing|activating|verifying|undoing|proving) /g)?.length ?? 0;
    const isBeforeKill = withoutColours(printed).includes('kill -9') && !withoutColours(printed).includes('Nothing is lost') && !plain.includes('\u2716');
    if (isBeforeKill && active > 0 && ended + active >= best) [live, best] = [frame, ended + active];
    if (withoutColours(printed).includes('Next: README')) return { live, printed };
    if (Date.now() - started > DEADLINE_MS) throw new Error(`the demo did not get to its end:\n${plain}`);
    await sleep(80);
  }
}

function withoutColours(text: string): string {
  return text.replaceAll(/\u001b\[[0-9;]*m/g, '');
}

try {
  const { live, printed } = await record();
  const all = printed.split('\n').map((line) => line.trimEnd());
  const from = all.findIndex((line) => line.includes('Go on:'));
  const to = all.findIndex((line, index) => index > from && line.includes('journal:'));
  const outcome = all.findIndex((line, index) => index > from && line.includes('outcome of 24 hosts'));
  const lines = [...live.trimEnd().split('\n').map((line) => line.trimEnd()), '', ...all.slice(from, from + 2), '', ...all.slice(outcome, to)];
  const file = fileURLToPath(new URL('./terminal.svg', import.meta.url));
  writeFileSync(file, svgOf(lines, COLUMNS));
  console.log(`${file}: ${lines.length} lines`);
} finally {
  tmux('kill-server');
}
