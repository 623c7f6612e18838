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
])('a worker that ends by %s during its native run leaves its parent alive', (_name, ending, terminate) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', parent(ending, terminate)], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout).toBe('the parent is alive\n');
  expect(status).toBe(0);
});

// A run that ends while its worker is being terminated is settled in an environment that runs no JavaScript any more.
test('workers that are terminated while short runs end, again and again, leave the process alive', () => {
  const worker = `
    const { parentPort } = require('node:worker_threads');
    const addon = require(${JSON.stringify(path.join(addon, 'node_modules/node-gyp-build'))})(${JSON.stringify(addon)});
    const shared = (n) => new Float32Array(new SharedArrayBuffer(4 * n));
    const control = new Int32Array(new SharedArrayBuffer(8));
    import(${JSON.stringify(helper)}).then(async ({ nativeReservoir }) => {
      const { state } = nativeReservoir(addon, { units: 20, inputs: 1 });
      const series = shared(100);
      parentPort.postMessage('running');
      for (;;) await state.runAsync(series, null, null, null, control);
    });`;
  const code = `
    const { Worker } = require('node:worker_threads');
    const rounds = async () => {
      for (let round = 0; round < 40; round++) {
        const worker = new Worker(${JSON.stringify(worker)}, { eval: true });
        await new Promise((resolve) => worker.once('message', resolve));
        for (let turn = 0; turn < round; turn++) await new Promise(setImmediate);
        await worker.terminate();
      }
    };
    Promise.all([rounds(), rounds(), rounds()]).then(() => console.log('the parent is alive'));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toBe('the parent is alive\n');
  expect(status).toBe(0);
});
