/** What the benchmark of replicas takes out of src/, compiled: the engine core and the forecaster are no entry points. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { compile } from '../../scripts/build/bundle.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const compiled = path.join(root, 'node_modules/.cache/dtesn-scaling');
const inputs = {
  scaling: 'src/outlook/scaling/index.ts',
  core: 'src/simulator/engine-core.ts',
  arrivals: 'src/simulator/arrivals.ts',
  trace: 'src/simulator/trace.ts',
  random: 'src/simulator/random-stream.ts',
};
await compile(root, inputs, compiled);
const load = (name) => createRequire(import.meta.url)(path.join(compiled, `${name}.js`));

export const { ReplicaCapacity, ScaleForecaster } = load('scaling');
export const { EngineCore } = load('core');
export const { BurstyArrivals } = load('arrivals');
export const { parseTrace } = load('trace');
export const { RandomStream } = load('random');
