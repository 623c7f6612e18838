/**
 * Microseconds of one step of one series with weights of four, two and one bytes, dense and block-sparse in blocks of 16, and how many times faster than f32
 * that is. The limit is the read bandwidth of a working set of the weights' size.
 *
 * `state error` is the largest difference of the states from those of f64 weights and states over 200 steps.
 */
import { Reservoir } from '../dist/index.js';
import { measure, round, withBandwidth } from './measure.mjs';

const series = Float32Array.from({ length: 200 }, (_, t) => Math.sin(t / 7));

export async function run({ quick }) {
  const rows = [];
  const sizes = quick ? [1024, 2048] : [1024, 2048, 4096];
  const cases = ['dense', 'block-sparse'].flatMap((topology) => sizes.map((units) => ({ units, topology })));
  if (quick) cases.push({ units: 4096, topology: 'block-sparse' });
  for (const network of cases) {
    const exact = reservoirOf(network, 'f64').run(series).data;
    let wide = 0;
    for (const precision of ['f32', 'bf16', 'int8']) {
      const reservoir = reservoirOf(network, precision);
      const error = reservoir.run(series).data.reduce((worst, x, i) => Math.max(worst, Math.abs(x - exact[i])), 0);
      const steps = series.subarray(0, 20);
      const { figures, limit } = await withBandwidth(reservoir.bytes, () =>
        measure(precision, () => reservoir.run(steps, { out: null }), { quick }),
      );
      const best = figures.best / steps.length;
      const rate = reservoir.bytes / best / 1000;
      wide ||= best;
      rows.push({
        task: `${network.topology} ${network.units}, ${precision}`,
        'best µs/step': round(best),
        'times f32': round(wide / best),
        'GB/s': round(rate),
        'limit GB/s': round(limit),
        share: round(rate / limit),
        'state error': round(error),
      });
    }
  }
  return rows;
}

function reservoirOf(network, precision) {
  return new Reservoir({ ...network, inputs: 1, blockRows: 16, precision, seed: 1 });
}
