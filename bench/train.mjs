/**
 * Milliseconds to train a readout on 5000 steps, running the reservoir included, microseconds of one RLS update and of one
 * step of a forecast, alone and of 64 together; one thread.
 *
 * The limit of a fit is its operations at the f64 peak of a core: steps n² + n³/3 for the Gram matrix and Cholesky's
 * factor, 2 steps n² + 2/3 n³ for QR, n units and one input; running the reservoir comes on top of it. That of an update is
 * one read of what it keeps of P. numpy runs a dense reservoir with the normal equations, and the textbook update.
 */
import { availableParallelism } from 'node:os';
import { native, RecursiveLeastSquares, Reservoir, setThreads, trainForecaster, trainReadout } from '../dist/index.js';
import { bestMicroseconds, round, withBandwidth } from './measure.mjs';
import { askNumpyToTrain } from './peers/numpy.mjs';

const STEPS = 5000;
const UPDATES = 20;
const series = Float32Array.from({ length: STEPS }, (_, t) => Math.sin(t / 7) + 0.5 * Math.sin(t / 31));
const targets = Float64Array.from(series, (_, t) => series[Math.max(0, t - 3)]);

export async function run({ quick }) {
  const sizes = quick ? [300, 1000] : [100, 300, 1000, 2000];
  const seconds = quick ? 0.5 : 3;
  const peer = await askNumpyToTrain(quick ? 0.1 : 1, STEPS, sizes);
  const rows = [];
  for (const solver of ['cholesky', 'qr']) {
    for (const [i, units] of sizes.entries()) rows.push(await fitRow(units, solver, peer?.fits[i], seconds));
  }
  for (const [i, units] of sizes.entries()) rows.push(await updateRow(units, peer?.updates[i], seconds));
  for (const units of sizes) rows.push(await forecastRow(units, seconds));
  return rows;
}

async function forecastRow(units, seconds) {
  const steps = 200;
  const network = new Reservoir({ units, inputs: 1, biasScaling: 0.5, seed: 1 });
  const trained = trainForecaster(network, series, { washout: 100, ridge: 1e-4 });
  const one = await bestMicroseconds(() => trained.forecast(steps), seconds / 3);
  const starts = { states: new Float32Array(64 * network.stateSize), inputs: new Float64Array(64) };
  setThreads(1);
  const many = await bestMicroseconds(() => trained.forecastBatch(starts, steps), seconds / 3);
  setThreads(availableParallelism());
  const open = await bestMicroseconds(() => network.run(series, { out: null }), seconds / 3);
  return {
    task: `forecast ${units}`,
    'best µs/step': round(one / steps),
    'in 64 µs/step': round(many / steps / 64),
    'open run µs/step': round(open / STEPS),
  };
}

async function fitRow(units, solver, numpy, seconds) {
  const network = new Reservoir({ units, inputs: 1, biasScaling: 0.5, seed: 1 });
  const fit = () => trainReadout(network, series, targets, { ridge: 1e-6, solver });
  const best = (await bestMicroseconds(fit, seconds)) / 1000;
  const running = (await bestMicroseconds(() => network.run(series, { out: null }), seconds / 4)) / 1000;
  const n = units + 1;
  const operations = solver === 'qr' ? 2 * STEPS * n ** 2 + (2 / 3) * n ** 3 : STEPS * n ** 2 + n ** 3 / 3;
  const limit = operations / native.limits().gflops.f64 / 1e6;
  return {
    task: `fit ${solver} ${units}`,
    'best ms': round(best),
    'of it running ms': round(running),
    'limit of the rest ms': round(limit),
    share: round(limit / (best - running)),
    ...(numpy === undefined ? {} : { 'numpy ms': round(numpy), times: round(numpy / best) }),
  };
}

async function updateRow(units, numpy, seconds) {
  const states = new Reservoir({ units, inputs: 1, seed: 1 }).run(series.subarray(0, UPDATES)).data;
  const wanted = targets.subarray(0, UPDATES);
  const rls = new RecursiveLeastSquares({ states: units, outputs: 1 });
  const update = () => rls.update(states, wanted);
  const { figures, limit } = await withBandwidth(rls.bytes, () => bestMicroseconds(update, seconds / 3));
  const best = figures / UPDATES;
  const least = rls.bytes / limit / 1000;
  return {
    task: `RLS ${units}`,
    'best ms': round(best / 1000),
    'limit of the rest ms': round(least / 1000),
    share: round(least / best),
    ...(numpy === undefined ? {} : { 'numpy ms': round(numpy / 1000), times: round(numpy / best) }),
  };
}
