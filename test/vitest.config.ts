/** Unit tests: everything that needs no root, no network namespace and no real node. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**', 'test/**/*.real.test.ts'],
    testTimeout: 60_000,
    setupFiles: ['test/fuzz-seed.ts'],
  },
});
