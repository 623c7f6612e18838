/** What the quick run (`npm test`) leaves out beside the tests tagged slow; `npm run test:all` takes all of it. */
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether this is the quick run; set by vitest.config.ts. */
    quick: boolean;
  }
}

export const quick = inject('quick');

/** How many cases a property draws of `count`: in the quick run a tenth, but at least 20. */
export function cases(count: number): number {
  return quick ? Math.min(count, Math.max(20, Math.ceil(count / 10))) : count;
}
