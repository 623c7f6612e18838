/** Equalisation of a nonlinear channel. */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import { RandomNumbers } from '../random/index.js';
import type { Task } from './narma.js';
import { checkSteps, number, seed } from './options.js';

const optionsSchema = z.object({ signalToNoise: number(28), seed: seed() });

/** Options of channelEqualization: the noise of the channel, and the seed. */
export interface ChannelEqualizationOptions {
  /** Power of q over that of the noise, in dB. Default 28. */
  signalToNoise?: number | undefined;
  /** Seed of symbols and noise. Default 0. */
  seed?: number | undefined;
}

/** Weights of d(t + 2) ... d(t - 7). */
const response = [0.08, -0.12, 1, 0.18, -0.1, 0.091, -0.05, 0.04, 0.03, 0.01];

/**
 * Equalisation of a nonlinear channel: find the symbols from what a channel with memory, a nonlinearity and noise made of them.
 *
 *     q(t) = .08 d(t+2) - .12 d(t+1) + d(t) + .18 d(t-1) - .1 d(t-2) + .091 d(t-3) - .05 d(t-4) + .04 d(t-5) + .03 d(t-6) + .01 d(t-7)
 *     u(t) = q(t) + .036 q(t)² - .011 q(t)³ + noise          d ∈ {-3, -1, 1, 3}
 *
 * Returns inputs u(t) and targets d(t - 2), each steps x 1 in f64, so that each answer has been received in whole. An answer counts
 * as right when d is the nearest symbol.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option.
 * Source: Jaeger & Haas (2004), "Harnessing nonlinearity", Science 304.
 */
export function channelEqualization(steps: number, options: ChannelEqualizationOptions = {}): Task {
  const { signalToNoise, seed } = checkOptions(optionsSchema, options, 'channelEqualization');
  checkSteps(steps, 2);
  const symbols = new RandomNumbers(seed, 'dataset', 0);
  const noise = new RandomNumbers(seed, 'dataset', 1);
  // d(t) is at place t + 7.
  const d = Float64Array.from({ length: steps + 9 }, () => 2 * symbols.below(4) - 3);
  const q = Float64Array.from({ length: steps }, (_, t) =>
    response.reduce((sum, weight, k) => sum + weight * d[t + 9 - k]!, 0),
  );
  // d has the variance 5.
  const power = 5 * response.reduce((sum, weight) => sum + weight ** 2, 0);
  const deviation = Math.sqrt(power / 10 ** (signalToNoise / 10));
  const u = q.map((one) => one + 0.036 * one ** 2 - 0.011 * one ** 3 + deviation * noise.normal());
  return {
    inputs: { rows: steps, cols: 1, data: u },
    targets: { rows: steps, cols: 1, data: d.slice(5, 5 + steps) },
  };
}
