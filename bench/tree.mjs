/**
 * The Deep Tree beside a flat reservoir, reservoirs side by side and random features of delays: as many units each, the same ridges, and the
 * same budget of candidates for each task. NRMSE on rows after those of the fit and of the search, median over networks of other seeds; µs
 * of a step with its readout; and both with the first levels of the tree alone, from the readouts of one fit.
 *
 *     flat       one reservoir              grouped   four reservoirs side by side, of different leaks
 *     tree       three levels (1, 1, 2 membranes), inputs to all, or to the skin
 *     features   tanh(A [u(t), u(t - s), ..., u(t - (k - 1) s)] + b), A and b drawn once: no recurrence
 */

import { lorenz, mackeyGlass, narma } from '../dist/datasets.js';
import { csr, DeepTreeModel, Esn, matrix, Reservoir, search } from '../dist/index.js';
import { uniform } from '../dist/initializers.js';
import { nrmse } from '../dist/scores.js';
import { bestMicroseconds, round } from './measure.mjs';

const UNITS = 200;
const WASHOUT = 200;
const [FIT, VALIDATION, TEST] = [3000, 1000, 2000];
const ROWS = FIT + VALIDATION + TEST;
const readout = { ridge: [1e-12, 1e-9, 1e-6, 1e-3], folds: 5 };

const ahead = (series, steps) => ({ u: series.slice(0, ROWS), y: series.slice(steps, ROWS + steps) });
const tasks = {
  'NARMA-10': () => {
    const { inputs, targets } = narma(ROWS, { seed: 1 });
    return { u: [...inputs.data], y: [...targets.data] };
  },
  'Mackey-Glass-17, 84 ahead': () =>
    ahead(
      [...mackeyGlass(ROWS + 84, { tau: 17, discard: 1000 }).data].map((x) => x - 1),
      84,
    ),
  'Lorenz x, 0.5 ahead': () => {
    const { data } = lorenz(ROWS + 10, { dt: 0.05, discard: 1000 });
    return ahead(
      [...data].filter((_, i) => i % 3 === 0).map((x) => x / 10),
      10,
    );
  },
  'two time scales': () => {
    const u = [...uniform()(ROWS, 1, 1).data];
    let slow = 0;
    const y = u.map((x, t) => {
      slow = 0.99 * slow + 0.1 * x;
      return slow + (u[t - 1] ?? 0) * (u[t - 2] ?? 0);
    });
    return { u, y };
  },
};

const recurrent = {
  leak: { low: 0.1, high: 1 },
  spectralRadius: { low: 0.3, high: 1.4 },
  inputScaling: { low: 0.05, high: 2, scale: 'log' },
  biasScaling: { low: 0, high: 0.5 },
};
const slower = { low: 0.2, high: 1, scale: 'log' };
const treeSpace = { ...recurrent, slower, coupling: { low: 0.1, high: 2, scale: 'log' } };
const base = { inputs: 1, dtype: 'f64' };
const leaks = (leak, ratio, count) => Array.from({ length: count }, (_, i) => leak * ratio ** i);
const treeOf = (inputTo) => ({
  space: treeSpace,
  make: ({ slower: ratio, leak, ...options }, seed) => ({
    network: new DeepTreeModel({
      ...base,
      ...options,
      depth: 3,
      units: UNITS,
      leak: leaks(leak, ratio, 3),
      inputTo,
      seed,
    }),
    nested: true,
  }),
});
const flatOf = (units) => ({
  space: recurrent,
  make: (options, seed) => ({ network: new Reservoir({ ...base, ...options, units, seed }) }),
});
const models = {
  'flat, 200 units': flatOf(UNITS),
  'grouped, 4 x 50': {
    space: { ...recurrent, slower },
    make: ({ slower: ratio, leak, ...options }, seed) => ({
      network: new DeepTreeModel({
        ...{ ...base, ...options, parents: [null, null, null, null], units: UNITS, leak: leaks(leak, ratio, 4), seed },
      }),
    }),
  },
  'tree, inputs to all': treeOf('all'),
  'tree, inputs to the skin': treeOf('skin'),
  'random features, 200': {
    space: {
      delays: [5, 10, 20, 40],
      stride: [1, 2, 4],
      inputScaling: { low: 0.05, high: 2, scale: 'log' },
      biasScaling: { low: 0, high: 2 },
    },
    make: randomFeatures,
    rowsOf: delayed,
  },
  // What a smaller flat reservoir gives for the units that the first levels have.
  'flat, 100 units': flatOf(100),
  'flat, 50 units': flatOf(50),
};

function randomFeatures({ delays, inputScaling, biasScaling }, seed) {
  const nothing = csr(UNITS, UNITS, {
    offsets: new Array(UNITS + 1).fill(0),
    columns: [],
    values: new Float64Array(0),
  });
  const drawn = uniform()(UNITS, delays + 1, seed).data;
  const input = matrix(
    UNITS,
    delays,
    drawn.slice(UNITS).map((value) => inputScaling * value),
  );
  const bias = drawn.slice(0, UNITS).map((value) => biasScaling * value);
  return { network: new Reservoir({ weights: { recurrent: nothing, input, bias } }) };
}

/** Rows of the last inputs. */
function delayed(u, { delays, stride }) {
  const data = new Float64Array(u.length * delays);
  for (let t = 0; t < u.length; t++) {
    for (let k = 0; k < delays; k++) data[t * delays + k] = u[t - k * stride] ?? 0;
  }
  return matrix(u.length, delays, data);
}

const part = ({ cols, data }, from, to) => matrix(to - from, cols, data.slice(from * cols, to * cols));
const column = (values) => matrix(values.length, 1, Float64Array.from(values));

/** A fit to the first rows; `error` is that of rows [from, to) with the first levels, or all. */
function fitted({ make, rowsOf = column }, { u, y }, options, seed) {
  const x = rowsOf(u, options);
  const targets = column(y);
  const made = make(options, seed);
  const esn = new Esn({ ...made, washout: WASHOUT, readout });
  esn.fit(part(x, 0, FIT), part(targets, 0, FIT));
  const start = esn.state.copy();
  const predict = (from, to, levels) => {
    esn.state.reset(start.data);
    const outputs = esn.predict(part(x, FIT, to), { levels });
    return part(outputs, from - FIT, to - FIT);
  };
  const error = (from, to, levels) =>
    nrmse(part(targets, from, to), predict(from, to, levels), { normalizer: 'deviation' });
  return { esn, error, run: (levels) => predict(FIT, ROWS, levels) };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** The errors of a model with the best of its candidates, and what is fitted with it. */
async function found(data, { make, space, rowsOf }, { budget, seeds }) {
  const model = { make, rowsOf };
  const evaluate = (options, { seed }) => fitted(model, data, options, seed).error(FIT, FIT + VALIDATION);
  const { best } = await search(space, evaluate, { budget });
  const all = Array.from({ length: seeds }, (_, i) => fitted(model, data, best.candidate, i + 1));
  const errorOf = (levels) => round(median(all.map(({ error }) => error(FIT + VALIDATION, ROWS, levels))));
  const isNested = all[0].esn.levels.length > 1;
  const [two, one] = [2, 1].map((levels) => (isNested ? errorOf(levels) : ''));
  return { errors: { NRMSE: errorOf(), '2 levels': two, '1 level': one }, first: all[0], isNested };
}

/** Error with inputs to all over that with inputs to the skin, each candidate with itself: the median, and how many are below 1. */
async function inputsBeside(data, { budget }) {
  const [all, skin] = [models['tree, inputs to all'], models['tree, inputs to the skin']];
  const ratios = new Map([3, 2, 1].map((levels) => [levels, []]));
  await search(
    treeSpace,
    (options, { seed }) => {
      const [a, b] = [all, skin].map((model) => fitted(model, data, options, seed));
      for (const [levels, list] of ratios) list.push(a.error(FIT, ROWS, levels) / b.error(FIT, ROWS, levels));
      return ratios.get(3).at(-1);
    },
    { budget, seeds: 2 },
  );
  const cells = [...ratios].slice(0, 2).map(([levels, list]) => {
    const better = list.filter((ratio) => ratio < 1).length;
    return [`${levels} levels, all / skin`, `${round(median(list))} (${better} of ${list.length} below 1)`];
  });
  return Object.fromEntries(cells);
}

/** Microseconds of a step with its readout: the best of some rounds, in which all models take turns. */
async function costs(kept, { rounds, seconds }) {
  const best = new Map();
  for (let i = 0; i < rounds; i++) {
    for (const [name, { first, isNested }] of kept) {
      for (const levels of isNested ? [undefined, 2, 1] : [undefined]) {
        const key = `${name} ${levels}`;
        const µs = (await bestMicroseconds(() => first.run(levels), seconds)) / (ROWS - FIT);
        best.set(key, Math.min(best.get(key) ?? Number.POSITIVE_INFINITY, µs));
      }
    }
  }
  const cell = (name, levels) => (best.has(`${name} ${levels}`) ? round(best.get(`${name} ${levels}`)) : '');
  return [...kept.keys()].map((name) => ({
    task: name,
    'µs/step': cell(name, undefined),
    'µs, 2 levels': cell(name, 2),
    'µs, 1 level': cell(name, 1),
  }));
}

export async function run({ quick }) {
  const effort = quick
    ? { budget: 2, seeds: 1, rounds: 1, seconds: 0.05 }
    : { budget: 20, seeds: 7, rounds: 8, seconds: 0.2 };
  const [errors, inputs, kept] = [[], [], new Map()];
  for (const [task, make] of Object.entries(tasks).slice(0, quick ? 1 : undefined)) {
    const data = make();
    for (const [name, model] of Object.entries(models)) {
      const one = await found(data, model, effort);
      errors.push({ task: `${task}: ${name}`, ...one.errors });
      if (!kept.has(name)) kept.set(name, one);
    }
    inputs.push({ task, ...(await inputsBeside(data, effort)) });
  }
  return [...errors, ...inputs, ...(await costs(kept, effort))];
}
