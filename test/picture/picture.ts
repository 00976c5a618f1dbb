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

/** The frame of the apply stage on which most hosts have ended and some have not; then the summary. */
async function record(): Promise<{ live: string; end: string }> {
  tmux('new-session', '-d', '-x', String(COLUMNS), '-y', String(ROWS), `cd '${ROOT}' && FORCE_COLOR=1 npm run --silent demo; sleep 60`);
  let live = '';
  let best = -1;
  const started = Date.now();
  for (;;) {
    const frame = tmux('capture-pane', '-p', '-e');
    const plain = frame.replaceAll(/\u001b\[[0-9;]*m/g, '');
    const ended = plain.match(/^ *[✔✖] node-/gm)?.length ?? 0;
    const active = plain.match(/(changing|activating|verifying|undoing|proving) /g)?.length ?? 0;
    if (active > 0 && Math.min(ended, 9) + Math.min(active, 12) >= best) [live, best] = [frame, Math.min(ended, 9) + Math.min(active, 12)];
    if (plain.includes('outcome of 24 hosts') && plain.includes('journal:')) return { live, end: frame };
    if (Date.now() - started > DEADLINE_MS) throw new Error(`the demo did not get to its end:\n${plain}`);
    await sleep(80);
  }
}

try {
  const { live, end } = await record();
  const summary = end.split('\n');
  const from = summary.findIndex((line) => line.includes('outcome of 24 hosts'));
  const to = summary.findIndex((line) => line.includes('journal:'));
  const lines = [...live.trimEnd().split('\n'), '', ...summary.slice(from, to).map((line) => line.trimEnd())];
  const file = fileURLToPath(new URL('./terminal.svg', import.meta.url));
  writeFileSync(file, svgOf(lines, COLUMNS));
  console.log(`${file}: ${lines.length} lines`);
} finally {
  tmux('kill-server');
}
