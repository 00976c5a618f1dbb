/** Unit tests: everything that needs no root, no network namespace and no real node. */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**', 'test/**/*.real.test.ts'],
    // One worker less than cores is vitest's own choice: on two cores that is one, while the tests wait for shells and sockets.
    maxWorkers: Math.max(2, availableParallelism()),
    // Ends what hangs. No test waits for it, however slow the machine.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    setupFiles: ['test/fuzz-seed.ts'],
  },
});
