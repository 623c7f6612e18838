/** docs/errors.md lists every code of the bridge with its status, and every code of its client. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { BridgeError, bridgeErrorCodes } from '../../src/bridge/index.js';
import { codesOf, root, sectionOf } from './pages.js';

test('docs/errors.md has a row for every code of the bridge, with its status, when it comes and what to do', () => {
  const rows = [
    ...sectionOf('docs/errors.md', 'Codes of the bridge').matchAll(
      /^\| `(\w+)` +\| (\d{3}) +\| (\S.*\S) +\| (\S.*\S) +\|$/gm,
    ),
  ];
  const listed = rows.map(([, code = '', status]) => [code, Number(status)]);
  expect(listed.toSorted()).toEqual(
    bridgeErrorCodes.map((code) => [code, new BridgeError(code, '').status]).toSorted(),
  );
});

test('docs/errors.md has a row for every code that only the client has', () => {
  const source = readFileSync(path.join(root, 'src/bridge/client/call-error.ts'), 'utf8');
  const union = /export type BridgeCallCode =\n((?: {2}\| .*\n?)+);?/.exec(source)?.[1] ?? '';
  const own = [...union.matchAll(/'(\w+)'/g)].map(([, code = '']) => code);
  expect(own.length).toBeGreaterThan(5);
  expect(codesOf(sectionOf('docs/errors.md', 'Codes of its client')).toSorted()).toEqual(own.toSorted());
});
