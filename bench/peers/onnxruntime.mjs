/**
 * onnxruntime-node on one thread, its RNN operator over the whole series, where the package is installed: beside this one, or by
 *
 *     npm install --prefix build/peers --ignore-scripts onnxruntime-node
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { bestMicroseconds } from '../measure.mjs';
import { rnnModel } from './onnx-model.mjs';

const STEPS = 64;
const runtime = load();

export const name = 'onnxruntime';
export const missing = runtime === undefined ? 'onnxruntime-node is not installed' : undefined;

export async function measure(shapes, seconds) {
  const times = [];
  for (const shape of shapes) times.push(await measureOne(shape, seconds));
  return times;
}

async function measureOne({ units, series }, seconds) {
  const uniform = (size, scale) => Float32Array.from({ length: size }, () => (2 * Math.random() - 1) * scale);
  const recurrent = uniform(units * units, 0.9 * Math.sqrt(3 / units));
  const model = rnnModel({ units, series, steps: STEPS, recurrent, input: uniform(units, 1) });
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'all' };
  const session = await runtime.InferenceSession.create(model, options);
  const inputs = Float32Array.from({ length: STEPS * series }, (_, i) => Math.sin(Math.floor(i / series) / 7));
  const feeds = {
    X: new runtime.Tensor('float32', inputs, [STEPS, series, 1]),
    start: new runtime.Tensor('float32', new Float32Array(series * units), [1, series, units]),
  };
  const time = await bestMicroseconds(() => session.run(feeds), seconds);
  await session.release();
  return time / STEPS / series;
}

function load() {
  const folders = [import.meta.dirname, path.resolve(import.meta.dirname, '../../build/peers')];
  for (const folder of folders) {
    const { resolve } = createRequire(path.join(folder, 'index.js'));
    try {
      return createRequire(import.meta.url)(resolve('onnxruntime-node'));
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return undefined;
}
