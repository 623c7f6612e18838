/** The tests of clients/python, which are Python themselves; without python3 they are skipped. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, test } from 'vitest';
import { bridgeCommand } from './bridge-process.js';

const version = spawnSync('python3', ['-c', 'import sys; print(sys.version_info >= (3, 9))'], { encoding: 'utf8' });
const hasPython = version.stdout?.trim() === 'True';
if (!hasPython) console.warn('clients/python is not tested: python3 from 3.9 on is not installed');

async function passes(file: string): Promise<void> {
  const env = { ...process.env, DTESN_TEST_BRIDGE: JSON.stringify([process.execPath, ...bridgeCommand]) };
  const child = spawn('python3', [path.join(import.meta.dirname, file), '-v'], { env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const [code] = await once(child, 'close');
  expect(output).toMatch(/\nRan \d\d? tests/);
  expect(code, output).toBe(0);
}

test.skipIf(!hasPython)('the Python client does what its tests say', { tags: ['slow'], timeout: 180_000 }, () =>
  passes('dtesn_bridge_test.py'),
);

test.skipIf(!hasPython)('the ASGI middleware does what its tests say', () => passes('asgi_middleware_test.py'), 60_000);
