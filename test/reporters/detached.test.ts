/** The view in its own process: whatever becomes of it, the run goes on. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/journal.js';
import { createDetachedReporter } from '../../src/reporters/detached.js';

const at = '2026-01-01T00:00:00.000Z';
const progress: RunEvent = { event: 'progress', run: 'r', host: 'a', phase: 'changing', text: 'x'.repeat(1000), at };
const fact: RunEvent = { event: 'entry', entry: { type: 'began', step: 's', run: 'r', host: 'a', seq: 1, at } };

let directory: string;
beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'fleetmend-view-')); });
afterEach(async () => { await rm(directory, { recursive: true }); });

async function viewer(source: string): Promise<string> {
  const entry = join(directory, 'viewer.mjs');
  await writeFile(entry, source);
  return entry;
}

describe('a detached view', () => {
  it('a viewer that never reads holds up neither the run nor its end', async () => {
    const reporter = createDetachedReporter('terminal', { entry: await viewer('setInterval(() => {}, 1000);'), lingerMs: 50 });
    for (let index = 0; index < 5000; index++) reporter.on(progress);
    await reporter.close();
  });
  it('a viewer that dies at once is nobody’s problem', async () => {
    const reporter = createDetachedReporter('lines', { entry: await viewer('process.exit(3);'), lingerMs: 10_000 });
    for (let index = 0; index < 50; index++) {
      reporter.on(progress);
      await new Promise((resolve) => { setImmediate(resolve); });
    }
    await reporter.close();
    reporter.on(progress);
  });
  it('a viewer that cannot be started is nobody’s problem', async () => {
    const reporter = createDetachedReporter('lines', { entry: join(directory, 'missing.mjs'), lingerMs: 10_000 });
    reporter.on(progress);
    await reporter.close();
  });
  it('a slow viewer may miss progress and gets every fact', async () => {
    const seen = join(directory, 'seen');
    const entry = await viewer(`
      import { appendFileSync } from 'node:fs';
      let text = '';
      setTimeout(() => {
        process.stdin.on('data', (chunk) => { text += chunk; });
        process.stdin.on('end', () => {
          const events = text.trimEnd().split('\\n').map((line) => JSON.parse(line).event);
          appendFileSync(${JSON.stringify(seen)}, JSON.stringify([events.filter((e) => e === 'entry').length, events.length]));
        });
      }, 300);`);
    const reporter = createDetachedReporter('ndjson', { entry, lingerMs: 20_000 });
    for (let index = 0; index < 5000; index++) reporter.on(progress);
    for (let index = 0; index < 200; index++) reporter.on(fact);
    await reporter.close();
    const [facts, all] = JSON.parse(await readFile(seen, 'utf8')) as [number, number];
    expect(facts).toBe(200);
    expect(all).toBeLessThan(5200);
  });
});
