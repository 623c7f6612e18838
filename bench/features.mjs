/**
 * What features are worth at the same number of them: states, squares, products of states, a layer of random units and elementary
 * differentials, about 400 numbers a row, on NARMA-10 (error of the next value) and on Lorenz (closed loop).
 *
 * Each takes the best options of one small grid on rows of its own (seed 0), and then other rows and other seeds. The random layer
 * is a second membrane without recurrence, f(C x + W_in u + b) with C and W_in drawn: what differentials have to be better than.
 */

import { lorenz, narma, rowsOf } from '../dist/datasets.js';
import { DeepTreeModel, differentials, Esn, products, Reservoir } from '../dist/index.js';
import { validTime } from '../dist/scores.js';
import { round } from './measure.mjs';

const reservoir = (units, options) => new Reservoir({ units, dtype: 'f64', biasScaling: 0.3, ...options });

/** Pairs of states at equal distances: as many products as asked for. */
const pairs = (units, count) =>
  products(Array.from({ length: count }, (_, i) => [i % units, (i + 1 + Math.floor(i / units)) % units]));

function withLayer(units, layer, { leak, spectralRadius, ...options }) {
  const each = { parents: [null, 0], units: [units, layer], leak: [leak, 1], spectralRadius: [spectralRadius, 1e-9] };
  return new DeepTreeModel({ ...each, inputTo: 'all', dtype: 'f64', biasScaling: 0.3, ...options });
}

const variants = [
  ['400 states', (options) => reservoir(400, options), ['states']],
  ['200 states, 200 squares', (options) => reservoir(200, options), ['states', 'squares']],
  ['80 states', (options) => reservoir(80, options), ['states']],
  ['80 states, 320 products', (options) => reservoir(80, options), ['states', pairs(80, 320)]],
  ['80 states, 320 random units', (options) => withLayer(80, 320, options), ['states']],
  ['133 states, 266 differentials', (options) => reservoir(133, options), ['states', differentials(2)]],
  ['80 states, 320 differentials', (options) => reservoir(80, options), ['states', differentials(3)]],
];

const tasks = [narmaTask(), lorenzTask()];

export async function run({ quick }) {
  const seeds = quick ? [1] : [1, 2, 3, 4, 5];
  const rows = [];
  for (const { task, grid, score, better } of quick ? tasks.slice(0, 1) : tasks) {
    for (const [features, make, list] of variants) {
      const tried = (quick ? grid.slice(0, 1) : grid).map((options) => ({
        options,
        score: score(make({ ...options, seed: 0 }), list, 'choose'),
      }));
      const { options } = tried.reduce((best, one) => (better(one.score, best.score) ? one : best));
      const scores = seeds.map((seed) => score(make({ ...options, seed }), list, 'test')).toSorted((a, b) => a - b);
      const [least, most] = [scores[0], scores.at(-1)].map(round);
      rows.push({
        task: `${task}, ${features}`,
        median: round(scores[scores.length >> 1]),
        least,
        most,
        options: text(options),
      });
    }
  }
  return rows;
}

const text = (options) => Object.values(options).join(' ');

function product({ inputs, leak, inputScaling, spectralRadius }) {
  return leak.flatMap((a) =>
    inputScaling.flatMap((b) => spectralRadius.map((c) => ({ inputs, leak: a, inputScaling: b, spectralRadius: c }))),
  );
}

function narmaTask() {
  const { inputs, targets } = narma(8000, { seed: 1 });
  const parts = { choose: [4000, 6000], test: [6000, 8000] };
  const score = (network, features, part) => {
    const [from, to] = parts[part];
    const readout = { ridge: [1e-10, 1e-8, 1e-6, 1e-4], folds: 4 };
    const esn = new Esn({ network, features: [...features, 'inputs'], readout, washout: 200 });
    esn.fit(rowsOf(inputs, { from: 0, to: 4000 }), rowsOf(targets, { from: 0, to: 4000 }));
    const error = 1 - esn.score(rowsOf(inputs, { from, to }), rowsOf(targets, { from, to }));
    esn.close();
    network.close();
    return error;
  };
  const grid = product({ inputs: 1, leak: [0.6, 1], inputScaling: [0.03, 0.1, 0.3], spectralRadius: [0.8, 0.95] });
  return { task: 'NARMA-10: NMSE', grid, score, better: (a, b) => a < b };
}

/** The median valid time of 40 starts, in Lyapunov times. */
function lorenzTask() {
  const series = lorenz(22_000, { dt: 0.02, discard: 1000 });
  const parts = { choose: 4000, test: 12_500 };
  const score = (network, features, part) => {
    const esn = new Esn({ network, features: [...features, 'inputs'], scale: 'standard', washout: 200 });
    esn.fit(rowsOf(series, { from: 0, to: 4000 }));
    const starts = Array.from({ length: 40 }, (_, i) => parts[part] + 200 * i);
    const warmup = starts.map((at) => rowsOf(series, { from: at, to: at + 200 }));
    const forecasts = esn.forecast({ steps: 1200, warmup });
    const times = forecasts.map((forecast, i) => {
      const target = rowsOf(series, { from: starts[i] + 200, to: starts[i] + 1400 });
      return validTime(target, forecast, { dt: 0.02, lyapunov: 0.9056 });
    });
    esn.close();
    network.close();
    return times.toSorted((a, b) => a - b)[20];
  };
  const grid = product({ inputs: 3, leak: [0.3, 0.6, 1], inputScaling: [0.1, 0.3], spectralRadius: [0.4, 0.9] });
  const better = (a, b) => a > b;
  return { task: 'Lorenz: Lyapunov times', grid, score, better };
}
