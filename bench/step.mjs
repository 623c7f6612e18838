/**
 * Microseconds of one step of a reservoir, whole series in one call: each topology and a plain TypeScript-style loop of the
 * same network in the same run.
 */
import { Reservoir } from '../dist/index.js';
import { measure, round } from './measure.mjs';

const STEPS = 256;

function plainStep({ recurrent, input, bias }, units) {
  const x = new Float32Array(units);
  const next = new Float32Array(units);
  return (series) => {
    for (const u of series) {
      for (let i = 0; i < units; i++) {
        let z = bias[i] + input.data[i] * u;
        const row = i * units;
        for (let k = 0; k < units; k++) z += recurrent.data[row + k] * x[k];
        next[i] = Math.tanh(z);
      }
      x.set(next);
    }
  };
}

export async function run({ quick }) {
  const rows = [];
  const series = Float32Array.from({ length: STEPS }, (_, t) => Math.sin(t / 7));
  for (const units of [100, 300, 1000, ...(quick ? [] : [2000, 4000])]) {
    for (const topology of ['dense', 'block-sparse', 'sparse', 'cycle']) {
      const reservoir = new Reservoir({ units, inputs: 1, topology, seed: 1 });
      const { best, median } = await measure(topology, () => reservoir.run(series, { out: null }), { quick });
      rows.push({
        task: `${topology} ${units}`,
        'best µs/step': round(best / STEPS),
        'median µs/step': round(median / STEPS),
        'GB/s of weights': round((reservoir.bytes * STEPS) / best / 1000),
      });
    }
    if (units <= 1000) {
      const plain = plainStep(new Reservoir({ units, inputs: 1, topology: 'dense', seed: 1 }).weights(), units);
      const { best, median } = await measure('plain', () => plain(series.subarray(0, 16)), { quick });
      rows.push({
        task: `plain loops ${units}`,
        'best µs/step': round(best / 16),
        'median µs/step': round(median / 16),
      });
    }
  }
  return rows;
}
