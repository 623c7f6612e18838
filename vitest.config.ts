import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { SlowTestsReporter } from './test/slow-tests-reporter.js';
import { workerSources } from './test/worker-sources.js';

/**
 * What a whole process holds, or changes of it, is tested in a process of its own: sockets, memory, threads of the pool, a browser; also
 * what puts another module in the place of one.
 */
const alone = [
  'test/browser/*.test.ts',
  'test/faults/matrix.test.ts',
  'test/migration/*.test.ts',
  'test/host/cgroup.test.ts',
  'test/monitor/shared-scrapes.test.ts',
  'test/processor/pinned-plan.test.ts',
  'test/network/{batch,reservoir,states}.test.ts',
  'test/transform/program.test.ts',
  'test/property/native-boundary.test.ts',
  'test/simulator/process-exit.test.ts',
  'test/streams/stream-pool.test.ts',
];

/**
 * `vitest run` leaves out the tests tagged slow and draws fewer cases of each property; `vitest run --mode all`
 * (`npm run test:all`) takes every test at its full counts, and `--mode long` those of many minutes too. Other files share processes, which import a module once.
 */
export default defineConfig(({ mode }) => {
  const quick = mode !== 'all' && mode !== 'long';
  // Not by `extends`, for which this function would be called again with the default mode.
  const each = {
    pool: 'forks' as const,
    testTimeout: process.env['DTESN_SANITIZED'] === undefined ? 30_000 : 180_000,
    tags: [
      { name: 'slow', description: 'Left out of `npm test`; `npm run test:all` runs it.' },
      { name: 'long', description: 'Takes many minutes: `npx vitest run --mode long` runs it.' },
    ],
    provide: { quick },
    ...(quick ? { tagsFilter: ['!slow'] } : mode === 'all' && { tagsFilter: ['!long'] }),
  };
  const plugins = [workerSources()];
  return {
    test: {
      ...each,
      maxWorkers: Math.max(2, availableParallelism()),
      ...(quick && { reporters: ['default', new SlowTestsReporter()] }),
      projects: [
        { plugins, test: { ...each, name: 'shared', include: ['test/**/*.test.ts'], exclude: alone, isolate: false } },
        { plugins, test: { ...each, name: 'alone', include: alone } },
      ],
    },
  };
});
