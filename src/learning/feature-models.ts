/**
 * Features that a linear map is trained on.
 *
 *     time of day: sin(kωt)/k, cos(kωt)/k for k = 1, 2, 3,  ω = 2π / day, t of UTC
 *     bank:        moving averages of each input over 3, 12 and 60 steps, and the time of day
 *     AR 60:       the last 60 values of each input, and the time of day
 *     network:     the states of a network that is fed each input and sin ωt, cos ωt, and what the bank has
 *
 * Inputs are in units of their scale. A row holds what is known after its step, never what follows.
 */
import type { Network } from '../network/index.js';
import type { FeatureModel } from './forecaster.js';
import { type TelemetrySteps, timeOf } from './telemetry-steps.js';

const AVERAGES = [3, 12, 60];
const HARMONICS = 3;
const LAGS = 60;

export function bankModel(inputs: number, daySeconds: number): FeatureModel {
  const size = inputs * AVERAGES.length + 2 * HARMONICS;
  return {
    name: 'bank and time of day',
    size,
    rows: (steps, names, scale) => {
      const rows = new Float64Array(steps.count * size);
      for (const [i, name] of names.entries()) {
        const { values } = steps.columns.get(name)!;
        for (const [k, average] of AVERAGES.entries()) {
          const share = 1 - Math.exp(-1 / average);
          let mean = (values[0] ?? 0) / scale[i]!;
          for (let t = 0; t < steps.count; t++) {
            mean += share * (values[t]! / scale[i]! - mean);
            rows[t * size + i * AVERAGES.length + k] = mean;
          }
        }
      }
      return withTimeOfDay(rows, steps, { size, from: inputs * AVERAGES.length, daySeconds });
    },
  };
}

export function lagModel(inputs: number, daySeconds: number): FeatureModel {
  const size = inputs * LAGS + 2 * HARMONICS;
  return {
    name: `AR ${LAGS} and time of day`,
    size,
    rows: (steps, names, scale) => {
      const rows = new Float64Array(steps.count * size);
      for (const [i, name] of names.entries()) {
        const { values } = steps.columns.get(name)!;
        for (let t = 0; t < steps.count; t++) {
          for (let lag = 0; lag < LAGS; lag++)
            rows[t * size + i * LAGS + lag] = values[Math.max(0, t - lag)]! / scale[i]!;
        }
      }
      return withTimeOfDay(rows, steps, { size, from: inputs * LAGS, daySeconds });
    },
  };
}

/** Inputs of a network for so many columns. */
export const networkInputs = (columns: number): number => columns + 2;

export function networkModel(network: Network, inputs: number, daySeconds: number): FeatureModel {
  const bank = bankModel(inputs, daySeconds);
  const size = network.featureSize + bank.size;
  return {
    name: 'network, bank and time of day',
    size,
    rows: (steps, names, scale) => {
      const beside = bank.rows(steps, names, scale);
      if (steps.count === 0) return new Float64Array();
      const width = networkInputs(inputs);
      const series = new Float64Array(steps.count * width);
      for (let t = 0; t < steps.count; t++) {
        for (const [i, name] of names.entries())
          series[t * width + i] = steps.columns.get(name)!.values[t]! / scale[i]!;
        const angle = (2 * Math.PI * timeOf(steps, t)) / daySeconds;
        series[t * width + inputs] = Math.sin(angle);
        series[t * width + inputs + 1] = Math.cos(angle);
      }
      const states = network.run(series, { state: network.createState() }).data;
      const rows = new Float64Array(steps.count * size);
      for (let t = 0; t < steps.count; t++) {
        rows.set(states.subarray(t * network.featureSize, (t + 1) * network.featureSize), t * size);
        rows.set(beside.subarray(t * bank.size, (t + 1) * bank.size), t * size + network.featureSize);
      }
      return rows;
    },
  };
}

function withTimeOfDay(
  rows: Float64Array,
  steps: TelemetrySteps,
  { size, from, daySeconds }: { size: number; from: number; daySeconds: number },
): Float64Array {
  for (let t = 0; t < steps.count; t++) {
    for (let k = 1; k <= HARMONICS; k++) {
      const angle = (2 * Math.PI * k * timeOf(steps, t)) / daySeconds;
      rows[t * size + from + 2 * k - 2] = Math.sin(angle) / k;
      rows[t * size + from + 2 * k - 1] = Math.cos(angle) / k;
    }
  }
  return rows;
}
