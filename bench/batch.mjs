/**
 * Many series at once: runBatch from JavaScript, input and tanh included.
 *
 * A step of one series is 2 units (units + inputs) operations; the limit is the multiply-add peak of one core, times the
 * threads. Peers step as many series in one matrix product, on one thread.
 */
import { availableParallelism } from 'node:os';
import { DeepTreeModel, native, Reservoir, setThreads } from '../dist/index.js';
import { measure, round } from './measure.mjs';
import { compared, measurePeers } from './peers/index.mjs';

const STEPS = 32;
const SPARSE = [
  ['block-sparse', 1000],
  ['block-sparse', 4000],
  ['sparse', 1000],
  ['sparse', 4000],
];
const CORES = Math.min(2, availableParallelism());

export async function run({ quick }) {
  const shapes = [];
  for (const units of quick ? [256, 1024] : [256, 512, 1024, 2048]) {
    for (const series of [16, 64]) shapes.push({ units, series });
  }
  const peers = await measurePeers(shapes, { quick });
  const rows = [];
  try {
    for (const [i, { units, series }] of shapes.entries()) {
      const model = new Reservoir({ units, inputs: 1, topology: 'dense', seed: 1 });
      rows.push(
        await row(`dense ${units}`, model, series, { quick, operations: 2 * units * (units + 1), peers: peers[i] }),
      );
    }
    for (const [topology, units] of quick ? [['block-sparse', 1000]] : SPARSE) {
      const model = new Reservoir({ units, inputs: 1, topology, seed: 1 });
      const operations = 2 * units * (units / 10 + 1);
      for (const series of [16, 64]) rows.push(await row(`${topology} ${units}`, model, series, { quick, operations }));
    }
    const tree = new DeepTreeModel({ depth: 4, units: 1024, inputs: 1, seed: 1 });
    rows.push(await row('Deep Tree of 1024 units, depth 4', tree, 64, { quick }));
  } finally {
    setThreads(availableParallelism());
  }
  return rows;
}

async function row(task, model, count, { quick, operations, peers = {} }) {
  const batch = Array.from({ length: count }, (_, s) =>
    Float32Array.from({ length: STEPS }, (_, t) => Math.sin(t / 7 + s)),
  );
  const advance = () => model.runBatch(batch, { out: null });
  setThreads(1);
  const alone = await measure(task, advance, { quick });
  setThreads(CORES);
  const together = await measure(task, advance, { quick });
  const best = alone.best / STEPS / count;
  const rate = operations && operations / best / 1000;
  const limit = native.limits().gflops.f32;
  return {
    task: `${task}, ${count} series`,
    'best µs/step': round(best),
    'median µs/step': round(alone.median / STEPS / count),
    ...(operations && { 'GFLOP/s': round(rate), 'limit GFLOP/s': round(limit), share: round(rate / limit) }),
    [`${CORES} threads, times`]: round(alone.best / together.best),
    peers: compared(peers, best),
  };
}
