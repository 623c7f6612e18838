import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { SlowTestsReporter } from './test/slow-tests-reporter.js';

/** What a whole process holds, or changes of it, is tested in a process of its own: sockets, memory, threads of the pool. */
const alone = [
  'test/faults/matrix.test.ts',
  'test/host/cgroup.test.ts',
  'test/network/{batch,reservoir,states}.test.ts',
  'test/transform/program.test.ts',
  'test/property/native-boundary.test.ts',
  'test/simulator/process-exit.test.ts',
  'test/streams/stream-pool.test.ts',
];

/**
 * `vitest run` leaves out the tests tagged slow and draws fewer cases of each property; `vitest run --mode all`
 * (`npm run test:all`) takes every test at its full counts. Other files share processes, which import a module once.
 */
export default defineConfig(({ mode }) => {
  const quick = mode !== 'all';
  return {
    test: {
      pool: 'forks',
      maxWorkers: Math.max(2, availableParallelism()),
      testTimeout: 30_000,
      tags: [{ name: 'slow', description: 'Left out of `npm test`; `npm run test:all` runs it.' }],
      provide: { quick },
      ...(quick && { tagsFilter: ['!slow'], reporters: ['default', new SlowTestsReporter()] }),
      projects: [
        { extends: true, test: { name: 'shared', include: ['test/**/*.test.ts'], exclude: alone, isolate: false } },
        { extends: true, test: { name: 'alone', include: alone } },
      ],
    },
  };
});
