import { defineConfig } from 'vitest/config';
import { SlowTestsReporter } from './test/slow-tests-reporter.js';

/**
 * `vitest run` leaves out the tests tagged slow and draws fewer cases of each property; `vitest run --mode all`
 * (`npm run test:all`) takes every test at its full counts.
 */
export default defineConfig(({ mode }) => {
  const quick = mode !== 'all';
  return {
    test: {
      include: ['test/**/*.test.ts'],
      pool: 'forks',
      testTimeout: 30_000,
      tags: [{ name: 'slow', description: 'Left out of `npm test`; `npm run test:all` runs it.' }],
      provide: { quick },
      ...(quick && { tagsFilter: ['!slow'], reporters: ['default', new SlowTestsReporter()] }),
    },
  };
});
