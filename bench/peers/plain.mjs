/** The network as anyone would write it first in TypeScript: loops over Float32Arrays. */
import { bestMicroseconds } from '../measure.mjs';

export const name = 'plain loops';
/** Why it cannot run here; undefined where it can. */
export const missing = undefined;

const STEPS = 16;
/** Beyond this a step takes milliseconds and says nothing new. */
const MOST_UNITS = 1024;

export async function measure(shapes, seconds) {
  const times = [];
  for (const { units, series } of shapes) {
    if (units > MOST_UNITS || series > 1) {
      times.push(null);
    } else {
      const advance = plainReservoir(units);
      times.push((await bestMicroseconds(() => advance(STEPS), seconds)) / STEPS);
    }
  }
  return times;
}

function plainReservoir(units) {
  const scale = (0.9 * Math.sqrt(3)) / Math.sqrt(units);
  const recurrent = Float32Array.from({ length: units * units }, () => (2 * Math.random() - 1) * scale);
  const input = Float32Array.from({ length: units }, () => 2 * Math.random() - 1);
  const bias = new Float32Array(units);
  const x = new Float32Array(units);
  const next = new Float32Array(units);
  return (steps) => {
    for (let t = 0; t < steps; t++) {
      const u = Math.sin(t / 7);
      for (let i = 0; i < units; i++) {
        let z = bias[i] + input[i] * u;
        const row = i * units;
        for (let k = 0; k < units; k++) z += recurrent[row + k] * x[k];
        next[i] = Math.tanh(z);
      }
      x.set(next);
    }
  };
}
