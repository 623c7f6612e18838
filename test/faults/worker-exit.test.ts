/** A worker thread that ends while its native run is under way ends alone: the process lives. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';

const addon = path.resolve(import.meta.dirname, '../..');
const helper = path.resolve(import.meta.dirname, '../threads/native-network.mjs');

/** The parent starts a worker that begins a long run and ends it in the given way, then goes on. */
function parent(ending: string, terminate: boolean): string {
  const worker = `
    const { parentPort } = require('node:worker_threads');
    const addon = require(${JSON.stringify(path.join(addon, 'node_modules/node-gyp-build'))})(${JSON.stringify(addon)});
    const units = 600;
    const shared = (n) => new Float32Array(new SharedArrayBuffer(4 * n));
    import(${JSON.stringify(helper)}).then(({ nativeReservoir }) => {
      const { state } = nativeReservoir(addon, { units, inputs: 1 });
      state.runAsync(shared(20000), shared(20000 * units), null, null, new Int32Array(new SharedArrayBuffer(8)));
      parentPort.postMessage('running');
      setTimeout(() => { ${ending} }, 20);
    });`;
  return `
    const { Worker } = require('node:worker_threads');
    const worker = new Worker(${JSON.stringify(worker)}, { eval: true });
    worker.on('message', () => { ${terminate ? 'setTimeout(() => worker.terminate(), 10);' : ''} });
    worker.on('error', () => {});
    worker.on('exit', () => setTimeout(() => console.log('the parent is alive'), 300));`;
}

test.each([
  ['process.exit()', 'process.exit(0)', false],
  ['an uncaught error', "throw new Error('boom')", false],
  ['terminate()', 'for (;;) {}', true],
])('a worker that ends by %s in the middle of a run leaves the process intact', (_name, ending, terminate) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', parent(ending, terminate)], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout).toBe('the parent is alive\n');
  expect(status).toBe(0);
});
