/** Input weights by which each unit reads one input. */
import { z } from 'zod';
import { checkOptions, rangeError } from '../errors/index.js';
import { type DenseInitializer, finite, randomOf, share, zeros } from './initializer.js';

const scale = z.number().gt(0).default(0.1).describe('a number above 0');

/** Options of weightedInput: the size of the weights. */
export interface WeightedInputOptions {
  /** Weights are uniform on [-scale, scale). Default 0.1. */
  scale?: number | undefined;
}

const weightedSchema = z.object({ scale });

/**
 * Weighted input: the units are split into as many runs as there are inputs, and each reads the input of its run only.
 *
 *     W_in[i, ⌊i D / N⌋] ~ U[-scale, scale),   everything else 0          N units, D inputs
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option.
 * Source: Lu et al. (2017), "Reservoir observers: model-free inference of unmeasured variables in chaotic systems", Chaos 27.
 */
export function weightedInput(options: WeightedInputOptions = {}): DenseInitializer {
  const checked = checkOptions(weightedSchema, options, 'weightedInput');
  return (rows, cols, seed = 0) => {
    const weights = zeros(rows, cols);
    const random = randomOf(seed);
    for (let i = 0; i < rows; i++) {
      weights.data[i * cols + Math.floor((i * cols) / rows)] = random.uniform(-checked.scale, checked.scale);
    }
    return finite(weights);
  };
}

/** Options of informedInput: which inputs a model gives, and who reads them. */
export interface InformedInputOptions {
  /** How many of the last inputs come from a model of the process. Required. */
  modelInputs: number;
  /** γ: share of the units that read the measured inputs, in [0, 1]; the others read the model's. Default 0.5. */
  gamma?: number | undefined;
  /** Weights are uniform on [-scale, scale). Default 0.1. */
  scale?: number | undefined;
}

const informedSchema = z.object({
  modelInputs: z.int().min(1).describe('a whole number, 1 or more'),
  gamma: share(0.5),
  scale,
});

/**
 * Informed input, of hybrid networks that read measurements and the forecast of a model beside them: each unit reads one input, the first
 * ⌊γ N⌋ units a measured one at random, the others one of the model.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option, or where no measured input is left.
 * Source: Pathak, Wikner et al. (2018), "Hybrid forecasting of chaotic processes: using machine learning in conjunction with a
 * knowledge-based model", Chaos 28.
 */
export function informedInput(options: InformedInputOptions): DenseInitializer {
  const checked = checkOptions(informedSchema, options, 'informedInput');
  return (rows, cols, seed = 0) => {
    const measured = cols - checked.modelInputs;
    if (measured < 1) throw rangeError(`at most ${cols - 1} of ${cols} inputs`, 'modelInputs', checked.modelInputs);
    const weights = zeros(rows, cols);
    const random = randomOf(seed);
    for (let i = 0; i < rows; i++) {
      const isMeasured = i < Math.floor(checked.gamma * rows);
      const input = isMeasured ? random.below(measured) : measured + random.below(checked.modelInputs);
      weights.data[i * cols + input] = random.uniform(-checked.scale, checked.scale);
    }
    return finite(weights);
  };
}
