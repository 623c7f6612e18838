/** The Deep Tree update in the plainest loops, in f64, from the weights a model says it has. */
import type { DeepTreeModel } from '../../src/network/index.js';

export function plainTreeRun(model: DeepTreeModel, series: ArrayLike<number>, coupled = true): Float64Array {
  const { inputs, units, membranes, update } = model;
  const weights = membranes.map(({ index }) => model.weights(index));
  const steps = series.length / inputs;
  const states = new Float64Array(steps * units);
  let x = Float64Array.from(model.state);
  for (let t = 0; t < steps; t++) {
    const next = Float64Array.from(x);
    for (const m of membranes) {
      if (!model.gates[m.index]) continue;
      const w = weights[m.index]!;
      for (let i = 0; i < m.units; i++) {
        let z = w.bias[i]!;
        for (let d = 0; d < inputs; d++) z += w.input.data[i * inputs + d]! * series[t * inputs + d]!;
        for (let k = 0; k < m.units; k++) z += w.recurrent.data[i * m.units + k]! * x[m.offset + k]!;
        if (coupled && m.parent !== null && model.gates[m.parent]) {
          const parent = membranes[m.parent]!;
          const from = update === 'parentFirst' ? next : x;
          for (let k = 0; k < parent.units; k++) z += w.coupling.data[i * parent.units + k]! * from[parent.offset + k]!;
        }
        for (const child of m.children) {
          if (!model.gates[child]) continue;
          const { units: n, offset } = membranes[child]!;
          for (let k = 0; k < n; k++) z += weights[child]!.feedback.data[i * n + k]! * x[offset + k]!;
        }
        next[m.offset + i] = (1 - m.leak) * x[m.offset + i]! + m.leak * Math.tanh(z);
      }
    }
    x = next;
    states.set(x, t * units);
  }
  return states;
}
