/**
 * Microseconds of one step of one series, whole series in one call, on one thread.
 *
 * The limit of a reservoir that reads its weights once a step is the read bandwidth of a working set of that size; the share is
 * weights / time against it. Cycle reservoirs have no weights to read and are limited by tanh: no share. Peers run the
 * dense network; where a row is sparse the comparison is of networks with as many units.
 */
import { Reservoir } from '../dist/index.js';
import { measure, round, withBandwidth } from './measure.mjs';
import { compared, measurePeers } from './peers/index.mjs';

const series = Float32Array.from({ length: 256 }, (_, t) => Math.sin(t / 7));

export async function run({ quick }) {
  const sizes = quick ? [100, 512, 1024, 2048] : [100, 256, 512, 1024, 2048, 4096];
  const peers = await measurePeers(
    sizes.map((units) => ({ units, series: 1 })),
    { quick },
  );
  const rows = [];
  for (const [i, units] of sizes.entries()) rows.push(await row('dense', units, peers[i], { quick }));
  for (const blockRows of [8, 16]) {
    for (const units of quick ? [1000, 2000] : [300, 1000, 2000, 4000]) {
      rows.push(await row('block-sparse', units, {}, { quick, blockRows }));
    }
  }
  for (const units of quick ? [1000] : [1000, 4000]) {
    rows.push(await row('sparse', units, {}, { quick }), await row('cycle', units, {}, { quick }));
  }
  return rows;
}

async function row(topology, units, peers, { quick, blockRows }) {
  const rowsOption = blockRows === undefined ? {} : { blockRows };
  const reservoir = new Reservoir({ units, inputs: 1, topology, seed: 1, ...rowsOption });
  const steps = units > 1024 ? series.subarray(0, 32) : series;
  const { figures, limit } = await withBandwidth(reservoir.bytes, () =>
    measure(topology, () => reservoir.run(steps, { out: null }), { quick }),
  );
  const best = figures.best / steps.length;
  const rate = reservoir.bytes / best / 1000;
  return {
    task: `${topology} ${units}${blockRows === undefined ? '' : `, blocks of ${blockRows}`}`,
    'best µs/step': round(best),
    'median µs/step': round(figures.median / steps.length),
    ...(topology === 'cycle' ? {} : { 'GB/s': round(rate), 'limit GB/s': round(limit), share: round(rate / limit) }),
    peers: compared(peers, best),
  };
}
