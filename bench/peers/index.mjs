/**
 * The peers of our reservoirs: other ways to run the same network (dense, f32, one input, tanh, leak 1) on one thread.
 * Each has a `name`, the reason it is `missing`, and measure(shapes, seconds): for each { units, series } the best
 * microseconds of one step of one series, null where it does not apply.
 */
import * as numpy from './numpy.mjs';
import * as onnxruntime from './onnxruntime.mjs';
import * as openblas from './openblas.mjs';
import * as plain from './plain.mjs';

export const peers = [plain, numpy, openblas, onnxruntime];

/** For each shape: { peer name: microseconds of one step of one series }, by every peer there is. */
export async function measurePeers(shapes, { quick }) {
  const table = shapes.map(() => ({}));
  for (const { name, missing, measure } of peers) {
    if (missing !== undefined) continue;
    const times = await measure(shapes, quick ? 0.05 : 0.3);
    times.forEach((time, i) => {
      if (time !== null) table[i][name] = time;
    });
  }
  return table;
}

/** What a row says of its peers: their microseconds and how many times ours that is. */
export function compared(times, ours) {
  return Object.fromEntries(
    Object.entries(times).map(([name, time]) => [
      name,
      { 'µs/step': Number(time.toPrecision(3)), times: Number((time / ours).toPrecision(3)) },
    ]),
  );
}
