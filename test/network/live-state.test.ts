/** Another thread maps the model's memory from buffer and layout, and sees its state move while it runs. */
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { Arena } from '../../src/native/index.js';
import { DeepTreeModel } from '../../src/network/index.js';

test('a worker thread reads live states through the arena', async () => {
  const arena = Arena.create([
    { name: 'state', dtype: 'f32', shape: [400] },
    { name: 'gates', dtype: 'u8', shape: [4] },
  ]);
  const model = new DeepTreeModel({
    depth: 3,
    units: 400,
    inputs: 1,
    state: arena.view('state'),
    gates: arena.view('gates'),
  });
  const { offset } = arena.region('state');
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    const state = new Float32Array(workerData.buffer, workerData.offset, 400);
    const seen = new Set();
    parentPort.once('message', () => { parentPort.postMessage([...seen].length); process.exit(); });
    const look = () => { for (let i = 0; i < 1000; i++) seen.add(state[0]); setImmediate(look); };
    look();
    parentPort.postMessage('looking');`;
  const worker = new Worker(script, { eval: true, workerData: { buffer: arena.buffer, offset } });
  await new Promise((resolve) => worker.once('message', resolve));
  const series = Array.from({ length: 60_000 }, (_, t) => Math.sin(t / 3));
  await model.runAsync(series, { out: null });
  const distinct = await new Promise<number>((resolve) => {
    worker.once('message', resolve);
    worker.postMessage('enough');
  });
  expect(distinct).toBeGreaterThan(10);
  expect([...new Float32Array(arena.buffer, offset, 400)]).toEqual([...model.state]);
});
