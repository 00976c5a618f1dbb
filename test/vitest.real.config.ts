/** Tests on real nodes: root on Linux. Two files at a time, each with labs of its own: much of every file is waiting. */
import { defineConfig } from 'vitest/config';

/** Ends what hangs. No test waits for it, however slow the machine. */
const PATIENCE_MS = 900_000;

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.real.test.ts', 'test/e2e/**/*.test.ts'],
    globalSetup: ['test/lab/real-setup.ts', 'test/e2e/build-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: PATIENCE_MS,
    hookTimeout: PATIENCE_MS,
    // A test run must not wait for ever for a node that does not end.
    teardownTimeout: 60_000,
  },
});
