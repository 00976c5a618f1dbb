/** Tests on real nodes: root on Linux. One file at a time, because every lab takes the whole machine. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.real.test.ts', 'test/e2e/**/*.test.ts'],
    globalSetup: ['test/lab/real-setup.ts'],
    pool: 'forks',
    fileParallelism: false,
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 600_000,
    // A test run must not wait for ever for a node that does not end.
    teardownTimeout: 60_000,
  },
});
