/** Flags of the commands that train and use models of series. */
import type { Flags } from './command.js';

export const seriesArgument = {
  name: 'FILE',
  about:
    'a series: a CSV file with a row a step, and names in its first line or none, or a .npy file of steps x columns',
  completes: 'file',
} as const;

export const classifiedArgument = {
  name: 'FILE',
  about:
    'series with their labels: a .ts file of the UCR and UEA archives, or a CSV file with a series a row and its label at the end',
  completes: 'file',
} as const;

export const networkFlags = {
  units: { type: 'string', value: 'N', about: 'of the reservoir (300)' },
  leak: { type: 'string', value: 'SHARE', about: 'of the state that a step replaces, in (0, 1] (0.3)' },
  'spectral-radius': { type: 'string', value: 'R', about: 'of the recurrent weights (0.9)' },
  'input-scaling': { type: 'string', value: 'S', about: 'of the input weights, for inputs of variance 1 (0.3)' },
  seed: { type: 'string', value: 'N', about: 'of the weights (0)' },
  washout: { type: 'string', value: 'STEPS', about: 'run and not learned (a tenth of the steps, at most 100)' },
  ridge: { type: 'string', value: 'LAMBDA', about: 'of the readout (chosen by the data)' },
} as const satisfies Flags;

export const modelFlag = {
  model: { type: 'string', value: 'MODEL', completes: 'file', about: 'a file that --save wrote' },
} as const satisfies Flags;

export const saveFlag = {
  save: { type: 'string', value: 'MODEL', completes: 'file', about: 'writes the trained model to this file' },
} as const satisfies Flags;

export const targetFlag = {
  target: {
    type: 'string',
    value: 'COLUMNS',
    about:
      'names or numbers (from 0) of the columns to predict, apart by commas; the others are inputs. Without it each row predicts the next one',
  },
} as const satisfies Flags;

export const outFlags = {
  out: {
    type: 'string',
    value: 'FILE',
    completes: 'file',
    about: 'writes the rows to this CSV file, not to standard output',
  },
} as const satisfies Flags;

export const plotFlag = {
  plot: {
    type: 'string',
    value: 'FILE.svg',
    completes: 'file',
    about: 'draws them (needs the packages @observablehq/plot and linkedom)',
  },
} as const satisfies Flags;

const range = 'one value or a range LOW..HIGH';

export const searchFlags = {
  budget: { type: 'string', value: 'N', about: 'candidates that are drawn and scored (40)' },
  seeds: { type: 'string', value: 'N', about: 'networks of each candidate, whose scores are averaged (1)' },
  seed: { type: 'string', value: 'N', about: 'of the candidates that are drawn (0)' },
  horizon: {
    type: 'string',
    value: 'STEPS',
    about: 'that are forecast, without --target (500, at most half of the shortest test)',
  },
  units: { type: 'string', value: 'N', about: `of the reservoir: ${range} (100..300)` },
  leak: { type: 'string', value: 'SHARE', about: `of the state that a step replaces: ${range} (0.1..1)` },
  'spectral-radius': { type: 'string', value: 'R', about: `of the recurrent weights: ${range} (0.1..1.3)` },
  'input-scaling': { type: 'string', value: 'S', about: `of the input weights: ${range} (0.01..1)` },
  'bias-scaling': { type: 'string', value: 'S', about: `of the bias: ${range} (0.01..1)` },
  ridge: {
    type: 'string',
    value: 'LAMBDA',
    about: `of the readout: ${range}, of which each decade is tried (1e-14..1e2; for forecasts 1e-14, 1e-11, 1e-8 and 1e-5)`,
  },
  washout: networkFlags.washout,
  file: {
    type: 'string',
    value: 'STATE',
    completes: 'file',
    about: 'keeps what was scored: a search that was ended, by Ctrl-C too, goes on with the same command',
  },
  save: { ...saveFlag.save, about: 'trains the best candidate on the whole series and writes it to this file' },
  plot: {
    ...plotFlag.plot,
    about: 'draws the score over each parameter (needs the packages @observablehq/plot and linkedom)',
  },
} as const satisfies Flags;
