/**
 * Milliseconds to draw a reservoir: numbers, places, the measured spectral radius, scaling and packing, on one thread.
 *
 * The measured radius takes most of it: `products` products with W at the least. The limit is one read of the weights for each of
 * the 2.4 sqrt(units) products that every drawn W needs, at the read bandwidth of a working set of its size.
 */
import { Reservoir } from '../dist/index.js';
import { bestMicroseconds, round, withBandwidth } from './measure.mjs';

export async function run({ quick }) {
  const cases = [
    ...[10, 50, 100, 200, 400, 401, 1000].flatMap((units) => [
      ['dense', units],
      ['block-sparse', units],
    ]),
    ['block-sparse', 4000],
    ['sparse', 1000],
    ['permutation', 2 ** 20],
    ['hadamard', 2 ** 20],
    ...(quick
      ? []
      : [
          ['dense', 4000],
          ['sparse', 4000],
        ]),
  ];
  const rows = [];
  for (const [topology, units] of cases) rows.push(await row(topology, units, { quick }));
  return rows;
}

async function row(topology, units, { quick }) {
  const measured = !['permutation', 'hadamard'].includes(topology);
  let seed = 0;
  const draw = () => new Reservoir({ units, inputs: 1, topology, seed: seed++ });
  const { bytes } = draw();
  const { figures: best, limit } = await withBandwidth(bytes, () => bestMicroseconds(draw, quick ? 0.1 : 1));
  const least = (2.4 * Math.sqrt(units) * bytes) / limit / 1e6;
  return {
    task: `${topology} ${units}`,
    'best ms': round(best / 1000),
    ...(measured ? { 'limit ms': round(least), share: round((1000 * least) / best) } : {}),
  };
}
