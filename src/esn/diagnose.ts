/** What limits an Esn on some data, in words: its states, its memory of the start, its ridge, and what it leaves. */
import { checkKeys, shapeError } from '../errors/index.js';
import type { Floats } from '../native/index.js';
import { asMatrix, checkMemory, type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import { isRidge, Ridge, ridgePath } from '../readout/index.js';
import type { Esn } from './esn.js';

/** One series, and targets of each row; without targets the next row. */
export interface DiagnoseData {
  /** The series, steps x inputs. */
  x: SeriesInput;
  /** Targets, steps x outputs. */
  y?: SeriesInput | undefined;
}

/** What was measured. Errors are mean squares in units of the variance, averaged over the outputs. */
export interface DiagnosisFigures {
  /** Share of the states beyond ±0.97. */
  saturated: number;
  /** Mean standard deviation of the states over time. */
  deviation: number;
  /** Distance, after the washout, of the states of two starts, in units of their norm. */
  start: number;
  /** Largest deviation of an input column divided by the least; Infinity where one is constant. */
  spread: number;
  /** Error on the first four fifths, which are learned. */
  trainError: number;
  /** Error on the last fifth with the ridge of the model. */
  testError: number;
  /** The ridge of 1e-14 to 1e2 with the least error on the last fifth. */
  bestRidge: number;
  /** Error on the last fifth with that ridge. */
  bestError: number;
  /** Correlation of an error with the one a step before, the mean over the outputs. */
  autocorrelation: number;
}

/** What limits a model, and how to change it. */
export interface Diagnosis {
  /** One sentence for each thing to change, the most urgent first; none where nothing stands out. */
  advice: string[];
  /** The figures behind them. */
  figures: DiagnosisFigures;
}

/**
 * What limits a fitted Esn on some data, in words.
 *
 *     for (const sentence of diagnose(esn, { x, y }).advice) console.log(sentence);
 *
 * Runs the series from rest, and trains on the first four fifths; neither the state nor the readout of the model changes. One of several
 * sentences may make the others obsolete: change one thing, and ask again.
 *
 * Errors: as Esn.predict; RangeError ERR_DTESN_SHAPE for targets of other rows, or for fewer than 20 rows after the washout.
 * Source: Lukoševičius (2012), "A practical guide to applying echo state networks", section 3.
 */
export function diagnose(esn: Esn, data: DiagnoseData): Diagnosis {
  checkKeys(data, ['x', 'y'], 'the data of diagnose');
  const rows = rowsOf(esn, data);
  const figures = { ...statesOf(esn, rows.values), ...inputsOf(rows.x), ...errorsOf(esn, rows) };
  return { advice: adviceOf(esn, figures, rows), figures };
}

interface DiagnosedRows {
  /** As given. */
  x: Matrix;
  /** In the units of the network. */
  values: Floats;
  y: Float64Array;
  steps: number;
  outputs: number;
}

function rowsOf(esn: Esn, { x, y }: DiagnoseData): DiagnosedRows {
  const { inputs } = esn.network;
  const { outputs } = esn.readout;
  const values = esn.toNetwork(x);
  const own = asMatrix(ArrayBuffer.isView(x) ? matrix(values.length / inputs, inputs, x as Floats) : x, 'x');
  const wanted = y === undefined ? own.data.subarray(inputs) : asMatrix(y, 'y').data;
  const steps = y === undefined ? own.rows - 1 : own.rows;
  if (wanted.length !== steps * outputs) throw shapeError(`targets with ${steps} rows of ${outputs}`, wanted.length);
  if (steps < esn.washout + 20) throw shapeError(`at least ${esn.washout + 20} rows`, steps);
  return { x: own, values, y: wanted, steps, outputs };
}

function statesOf({ network, washout }: Esn, values: Floats) {
  const { inputs, featureSize } = network;
  const most = values.length / inputs;
  checkMemory(8 * most * featureSize, `states of ${most} steps`);
  const [rest, other] = [network.createState(), network.createState()];
  other.data.fill(0.5);
  const { data } = network.run(values, { state: rest });
  const last = Math.max(1, washout) - 1;
  network.run(values.subarray(0, (last + 1) * inputs), { state: other, out: null });
  const there = network.featuresOf(other);
  const here = data.subarray(last * featureSize, (last + 1) * featureSize);
  const norm = (of: ArrayLike<number>) => Math.sqrt(Array.from(of).reduce((sum, v) => sum + v * v, 0));
  const start = norm(Array.from(here, (v, i) => v - there[i]!)) / Math.max(norm(here), Number.MIN_VALUE);
  rest.close();
  other.close();
  const kept = data.subarray(last * featureSize);
  let saturated = 0;
  for (const v of kept) if (Math.abs(v) > 0.97) saturated++;
  const deviations = deviationsOf(kept, featureSize);
  return { saturated: saturated / kept.length, deviation: meanOf(deviations), start };
}

function inputsOf({ cols, data }: Matrix) {
  const deviations = deviationsOf(data, cols);
  return { spread: Math.max(...deviations) / Math.min(...deviations) };
}

function errorsOf(esn: Esn, { values, y, steps, outputs }: DiagnosedRows) {
  const { featured, washout, learner } = esn;
  const { featureSize: size, inputs } = featured;
  const state = featured.createState();
  const { data } = featured.run(values.subarray(0, steps * inputs), { state });
  state.close();
  const at = washout + Math.floor(0.8 * (steps - washout));
  const part = (from: number, to: number) => ({
    features: matrix(to - from, size, data.subarray(from * size, to * size)),
    targets: matrix(to - from, outputs, y.subarray(from * outputs, to * outputs)),
  });
  const [train, test] = [part(washout, at), part(at, steps)];
  const ridge = new Ridge({ intercept: isRidge(learner) ? learner.intercept : true }).add(
    train.features,
    train.targets,
  );
  const path = ridgePath.map((value) => ({ value, ...left(ridge.solve(value).apply(test.features), test.targets) }));
  const best = path.reduce((least, one) => (one.error <= least.error ? one : least));
  // A Ridge is trained again on the first part; an online readout stands as it is, in the units of the network.
  const own = isRidge(learner) ? ridge.solve(learner.ridge) : null;
  const outputsOf = ({ features }: typeof train) => own?.apply(features) ?? esn.outputsOf(features.data as Floats);
  const tested = left(outputsOf(test), test.targets);
  const trainError = left(outputsOf(train), train.targets).error;
  ridge.close();
  const { error: testError, autocorrelation } = tested;
  return { trainError, testError, bestRidge: best.value, bestError: best.error, autocorrelation };
}

/** Mean square in units of the variance, and the correlation of errors with those before. */
function left({ data, cols }: Matrix, targets: Matrix) {
  const errors = Float64Array.from(data, (value, i) => value - targets.data[i]!);
  const [deviations, residuals] = [deviationsOf(targets.data, cols), deviationsOf(errors, cols)];
  const squares = new Float64Array(cols);
  const products = new Float64Array(cols);
  for (let i = 0; i < errors.length; i++) squares[i % cols]! += errors[i]! ** 2;
  for (let i = cols; i < errors.length; i++) products[i % cols]! += errors[i]! * errors[i - cols]!;
  const rows = errors.length / cols;
  return {
    error: meanOf(squares.map((square, o) => square / rows / deviations[o]! ** 2)),
    autocorrelation: meanOf(
      products.map((product, o) => (residuals[o]! > 0 ? product / Math.max(squares[o]!, Number.MIN_VALUE) : 0)),
    ),
  };
}

function adviceOf(
  { washout, scale, learner, featured }: Esn,
  of: DiagnosisFigures,
  { steps }: DiagnosedRows,
): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  const short = (value: number) => value.toPrecision(2);
  const learned = Math.floor(0.8 * (steps - washout));
  const advice: string[] = [];
  if (scale === 'none' && of.spread > 10) {
    advice.push(
      `One input varies ${short(of.spread)} times as much as another, which the network hardly sees: set scale to 'standard'.`,
    );
  }
  if (of.saturated > 0.3) {
    advice.push(
      `${percent(of.saturated)} of the states lie beyond ±0.97, where tanh tells values apart no more: set inputScaling to a third, or scale to 'standard'.`,
    );
  }
  if (of.deviation < 0.01) {
    advice.push(
      `The states vary by ${short(of.deviation)} only, so that the network is linear: set inputScaling ${short(0.2 / of.deviation)} times as large.`,
    );
  }
  if (of.start > 1e-3) {
    advice.push(
      `After the washout of ${washout} steps two starts still differ by ${percent(of.start)}: set a larger washout, or a smaller spectralRadius.`,
    );
  }
  if (isRidge(learner) && of.bestError < 0.8 * of.testError) {
    advice.push(
      `Ridge ${of.bestRidge} leaves ${short(of.bestError)} of the variance of rows that were not learned, ridge ${learner.ridge} leaves ${short(of.testError)}: set readout.ridge to the first.`,
    );
  }
  if (of.bestError > 2 * of.trainError && learned < 10 * featured.featureSize) {
    advice.push(
      `${featured.featureSize} features learn ${learned} rows, and leave ${short(of.bestError / of.trainError)} times as much of others: give more rows, or fewer units.`,
    );
  }
  if (of.autocorrelation > 0.5 && of.bestError > 1e-3) {
    advice.push(
      `Each error resembles the one before (correlation ${short(of.autocorrelation)}): something slower than the states matters; try a smaller leak, or the features delays(10).`,
    );
  }
  if (of.bestError > 0.5) {
    advice.push(
      `${percent(Math.min(1, of.bestError))} of the variance is left with every ridge: more units and search(space, { x, y }) may help, unless the inputs do not determine the targets.`,
    );
  }
  return advice;
}

function deviationsOf(values: ArrayLike<number>, columns: number): Float64Array {
  const [sums, squares] = [new Float64Array(columns), new Float64Array(columns)];
  const rows = values.length / columns;
  for (let i = 0; i < values.length; i++) sums[i % columns]! += values[i]! / rows;
  for (let i = 0; i < values.length; i++) squares[i % columns]! += (values[i]! - sums[i % columns]!) ** 2 / rows;
  return squares.map(Math.sqrt);
}

const meanOf = (values: Float64Array) => values.reduce((sum, value) => sum + value / values.length, 0);
