/**
 * Microseconds of one step of a structured reservoir of 2^12 to 2^20 units on one thread.
 *
 * The limit of hadamard: three times (once for each transform) the time to copy a state to another place and to read its signs.
 * `times` is what a step takes of it; permutation and cycle are held against one copy.
 */
import { native, Reservoir } from '../dist/index.js';
import { bestMicroseconds, measure, round } from './measure.mjs';

const series = Float32Array.from({ length: 4 }, (_, t) => Math.sin(t / 7));

export async function run({ quick }) {
  const rows = [];
  for (const units of quick ? [2 ** 12, 2 ** 20] : [2 ** 12, 2 ** 16, 2 ** 20]) {
    const pass = await copyMicroseconds(units);
    const signs = units / 8 / native.limits().bandwidthAt(units / 8) / 1000;
    for (const topology of ['cycle', 'permutation', 'hadamard']) {
      const reservoir = new Reservoir({ units, inputs: 1, topology, seed: 1 });
      const { best, median } = await measure(topology, () => reservoir.run(series, { out: null }), { quick });
      const limit = topology === 'hadamard' ? 3 * (pass + signs) : pass;
      rows.push({
        task: `${topology} ${units}`,
        'best µs/step': round(best / series.length),
        'median µs/step': round(median / series.length),
        'limit µs': round(limit),
        times: round(best / series.length / limit),
      });
    }
  }
  return rows;
}

async function copyMicroseconds(units) {
  const from = new Float32Array(units).fill(1);
  const to = new Float32Array(units);
  const copies = 20;
  const best = await bestMicroseconds(() => {
    for (let i = 0; i < copies; i++) to.set(from);
  }, 0.2);
  return best / copies;
}
