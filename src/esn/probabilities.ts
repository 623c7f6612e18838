/** Probabilities of classes from the outputs of a linear readout. */
import { softmax } from '../readout/index.js';

/** The sharpness of the least log loss, within 0.1 to 1000: the loss is convex in it. */
export function sharpnessOf(outputs: Float64Array, classOf: readonly number[], classes: number): number {
  const loss = (power: number) => {
    const probabilities = softmax(outputs, classes, 10 ** power);
    return classOf.reduce((sum, k, i) => sum - Math.log(Math.max(probabilities[i * classes + k]!, 1e-300)), 0);
  };
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [-1, 3];
  for (let i = 0; i < 40; i++) {
    const [a, b] = [high - golden * (high - low), low + golden * (high - low)];
    if (loss(a) < loss(b)) high = b;
    else low = a;
  }
  return 10 ** ((low + high) / 2);
}

/** The place of the largest number, the first of several. */
export function indexOfLargest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
