/** What a fit of an EsnClassifier has left, as its file holds it: checked against the options and the network of the file. */
import { z } from 'zod';
import { matrix } from '../numeric/index.js';
import { LinearReadout } from '../readout/index.js';
import type { Label } from './labels.js';
import type { Scaling } from './scaling.js';

const numbers = z.custom<Float64Array>(
  (value) => value instanceof Float64Array && value.every(Number.isFinite),
  'finite f64 numbers',
);

const savedFitSchema = z.strictObject({
  fitted: z.strictObject({
    labels: z.array(
      z.custom<Label>((value) => ['string', 'number', 'boolean', 'bigint'].includes(typeof value), 'a label'),
    ),
    ridge: z.number().min(0),
    sharpness: z.number().gt(0),
    weights: numbers,
    bias: numbers,
  }),
  scaling: z.strictObject({ offset: numbers, factor: numbers }).nullable(),
});

/** Numbers that a fit of these options and this network has. */
export interface FitSizes {
  /** Rows of W. */
  features: number;
  /** Columns of the scaling; 0 where inputs are not scaled. */
  scaled: number;
}

/** A fit of a file. */
export interface LoadedFit {
  labels: Label[];
  readout: LinearReadout;
  ridge: number;
  sharpness: number;
  scaling: Scaling | null;
}

/** Errors: an Error that names what is wrong, from which loadModel makes ERR_DTESN_FILE. */
export function readFit(saved: unknown, { features, scaled }: FitSizes): LoadedFit {
  const { data, error } = savedFitSchema.safeParse(saved);
  if (error) throw new RangeError(error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  const { labels, ridge, sharpness, weights, bias } = data.fitted;
  const classes = bias.length;
  const check = (isRight: boolean, what: string) => {
    if (!isRight) throw new RangeError(`expected ${what}`);
  };
  check(classes >= 2 && new Set(labels).size === classes && labels.length === classes, `${classes} labels, 2 or more`);
  check(weights.length === features * classes, `weights of ${features} features x ${classes} classes`);
  const { offset, factor } = data.scaling ?? { offset: new Float64Array(0), factor: new Float64Array(0) };
  check((data.scaling !== null) === scaled > 0, `${scaled > 0 ? 'a' : 'no'} scaling`);
  check(offset.length === scaled && factor.length === scaled, `a scaling of ${scaled} inputs`);
  check(!factor.includes(0), 'factors of a scaling that are not 0');
  const readout = new LinearReadout({ states: features, weights: matrix(features, classes, weights), bias });
  return { labels, readout, ridge, sharpness, scaling: data.scaling };
}
