/** Probabilities of classes from the outputs of a linear readout. */

/** exp(s y_k) / Σ exp(s y_j), row by row. */
export function softmax(outputs: Float64Array, classes: number, sharpness: number): Float64Array {
  const probabilities = new Float64Array(outputs.length);
  for (let from = 0; from < outputs.length; from += classes) {
    const row = outputs.subarray(from, from + classes);
    const most = row.reduce((a, b) => Math.max(a, b));
    const powers = row.map((y) => Math.exp(sharpness * (y - most)));
    const sum = powers.reduce((a, b) => a + b);
    for (let k = 0; k < classes; k++) probabilities[from + k] = powers[k]! / sum;
  }
  return probabilities;
}
