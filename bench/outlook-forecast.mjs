/**
 * Forecasts of load, walk-forward: the day-like load of the suite outlook-scaling in steps of 10 s, four days of two hours, of which the
 * first is only learned from. Root mean squared errors in replicas: requests a second over those that one replica serves.
 *
 *     node bench/run.mjs outlook-forecast [--quick] [--trace FILE]
 */
import { Outlook, Reservoir } from '../dist/index.js';
import { round } from './measure.mjs';
import { dayLoad } from './scaling/day-load.mjs';
import { countsOf } from './scaling/policies.mjs';
import { floodThroughput } from './scaling/replica-loop.mjs';

const DAY_SECONDS = 7200;
const DAYS = 4;
const PEAK_REPLICAS = 3;
const STEP_SECONDS = 10;
const HORIZONS = [10, 60, 300, 600];

export async function run({ quick, traces: [trace = null] = [] }) {
  const seeds = quick ? [1] : [1, 2, 3];
  const capacity = floodThroughput(trace);
  const reports = [];
  for (const seed of seeds) {
    const peak = PEAK_REPLICAS * capacity;
    const arrivals = dayLoad({ trace, peak, days: DAYS, daySeconds: DAY_SECONDS, seed });
    const counts = countsOf(arrivals, DAYS * DAY_SECONDS);
    const network = new Reservoir({ units: 100, inputs: 3, leak: 0.3, seed: 1 });
    const outlook = new Outlook({ targets: ['replicas'], horizonsSeconds: HORIZONS, daySeconds: DAY_SECONDS, network });
    reports.push(await outlook.train(stepsOf(counts, capacity)));
  }
  const models = [...new Set(reports[0].scores.map(({ model }) => model))];
  return models.map((task) => ({ task, ...cells(reports, task) }));
}

function stepsOf(counts, capacity) {
  const steps = Math.floor((counts.length - 1) / STEP_SECONDS);
  const sum = (i) => counts.subarray(i * STEP_SECONDS + 1, (i + 1) * STEP_SECONDS + 1).reduce((a, b) => a + b, 0);
  return {
    time: Array.from({ length: steps }, (_, i) => (i + 1) * STEP_SECONDS),
    replicas: Array.from({ length: steps }, (_, i) => sum(i) / STEP_SECONDS / capacity),
  };
}

/** Mean of the seeds. */
function cells(reports, model) {
  return Object.fromEntries(
    HORIZONS.flatMap((seconds) => {
      const scores = reports.map((report) =>
        report.scores.find((score) => score.model === model && score.horizonSeconds === seconds),
      );
      const mean = (of) => scores.reduce((sum, score) => sum + score[of], 0) / scores.length;
      const known = scores.every(({ rmse }) => rmse !== null);
      const within = scores[0].coverage === null ? '' : `, ${Math.round(100 * mean('coverage'))} % within`;
      return [[`${seconds} s`, known ? `${round(mean('rmse'))}${within}` : '-']];
    }),
  );
}
