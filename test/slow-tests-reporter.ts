import type { Reporter, TestModule } from 'vitest/node';

/** Says at the end of a quick run how many tests it left out, and which command runs them. */
export class SlowTestsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap(({ children }) => [...children.allTests('skipped')]);
    const slow = skipped.filter(({ tags }) => tags.includes('slow')).length;
    if (slow > 0)
      console.log(`${slow} slow tests were left out: npm run test:all runs them, and all cases of each property`);
  }
}
