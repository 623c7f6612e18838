/** README's first example, { code, output }: what packages and platforms are tried with. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

export function readmeExample() {
  const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8');
  const [, code, output] = /```js\n([\s\S]*?)```\s*```text\n([\s\S]*?)```/.exec(readme);
  return { code, output };
}
