/** THIRD_PARTY_NOTICES.md names everything in the package that others wrote, in the versions that are installed. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

test('the notices are what scripts/notices.mjs makes', async () => {
  const { notices } = (await import(path.join(root, 'scripts/notices.mjs'))) as { notices: () => Promise<string> };
  const made = await notices();
  for (const name of [
    'zod',
    'hono',
    '@hono/node-server',
    'lru-cache',
    'uplot',
    'node-addon-api',
    'musl',
    'MinGW',
    'LLVM',
  ]) {
    expect(made).toContain(`\n## ${name}`);
  }
  expect(readFileSync(path.join(root, 'THIRD_PARTY_NOTICES.md'), 'utf8'), 'node scripts/notices.mjs writes it').toBe(
    made,
  );
});
