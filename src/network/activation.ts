/**
 * The functions a drive passes through: one for all units, or one for each segment of them.
 *
 *     tanh   sigmoid 1 / (1 + e^-z)   relu max(0, z)   identity   sine sin z   softplus log(1 + e^z)
 *
 * Segments are [{ units, activation }, ...] whose units add up to those of the network.
 */
import { z } from 'zod';
import { shapeError } from '../errors/index.js';

export const activations = ['tanh', 'sigmoid', 'relu', 'identity', 'sine', 'softplus'] as const;
/**
 * The function f that a drive passes through: tanh, sigmoid 1 / (1 + e^-z), relu max(0, z), identity, sine sin z,
 * softplus log(1 + e^z).
 */
export type Activation = (typeof activations)[number];

/** Consecutive units that share an activation; the units of all segments add up to those of the network. */
export interface ActivationSegment {
  units: number;
  activation: Activation;
}

const name = z.enum(activations);
const segment = z.strictObject({ units: z.int().min(1), activation: name });

export const activationName = "'tanh', 'sigmoid', 'relu', 'identity', 'sine' or 'softplus'";
export const activationNameSchema = name;
export const activationSchema = z
  .union([name, z.array(segment).min(1)])
  .default('tanh')
  .describe(`${activationName}, or an array of { units, activation }`);

/** The segments that an `activation` option describes. */
export function segmentsOf(activation: Activation | ActivationSegment[], units: number): ActivationSegment[] {
  if (typeof activation === 'string') return [{ units, activation }];
  const total = activation.reduce((sum, one) => sum + one.units, 0);
  if (total !== units) throw shapeError(`segments of activation with ${units} units in all`, total);
  return activation;
}
