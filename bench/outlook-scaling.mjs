/**
 * Replicas by forecast: 1 to 6 simulated engines that take 60 s to start, under a load like that of a day (scaling/day-load.mjs), in
 * virtual time. For each policy (scaling/policies.mjs) the replicas that keep 98.5 % of the requests within 2 s to the first token, from
 * a sweep of the target use; and the same policies, at the default target use, when crowds come.
 *
 * A day lasts two hours, so that three days are learned from and the fourth is measured. The capacity of a replica is that of a flood,
 * in the last row that which the replicas' own counters show (ReplicaCapacity).
 * Figures are replicas (mean over the day) and shares: equal for equal seeds, on any machine.
 *
 *     node bench/run.mjs outlook-scaling [--quick] [--trace FILE]
 */

import { round } from './measure.mjs';
import { dayLoad } from './scaling/day-load.mjs';
import { MeasuredCapacity } from './scaling/measured-capacity.mjs';
import { countsOf, policyLoads } from './scaling/policies.mjs';
import { DECISION_SECONDS, floodThroughput, replicaLoop } from './scaling/replica-loop.mjs';

const DAY_SECONDS = 7200;
const DAYS = 4;
const PEAK_REPLICAS = 3;
const STARTUP_SECONDS = 60;
const SHARE = 0.985;
const DEFAULT_USE = 0.7;
const MEASURED = 'ours, capacity measured';
const uses = [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1];

export async function run({ quick, traces: [trace = null] = [] }) {
  const seeds = quick ? [1] : [1, 2, 3];
  const days = seeds.map((seed) => prepare({ trace, seed, crowds: false }));
  const crowds = seeds.map((seed) => prepare({ trace, seed, crowds: true }));
  const names = Object.keys(days[0].loads);
  const shown = quick ? ['persistence', 'ours'] : [...names, MEASURED];
  const rows = shown.map((name) => ({ name, sweep: sweep(days, name, quick ? [0.6, 0.7, 0.8] : uses) }));
  const base = replicasAt(rows[0].sweep);
  return rows.map(({ name, sweep: points }) => {
    const replicas = replicasAt(points);
    const crowd = mean(crowds.map((day) => loop(day, name, DEFAULT_USE)));
    return {
      task: name,
      [`replicas at ${100 * SHARE} %`]: replicas === null ? 'not reached' : round(replicas),
      'less than persistence': replicas === null || base === null ? '' : `${round(100 * (1 - replicas / base))} %`,
      sweep: points.map(({ use, replicas: n, within }) => `${use}: ${n.toFixed(2)}, ${percent(within)}`).join('; '),
      'crowd: replicas': round(crowd.replicas),
      'crowd: within 2 s': percent(crowd.within),
    };
  });
}

function prepare({ trace, seed, crowds }) {
  const capacity = floodThroughput(trace);
  const arrivals = dayLoad({
    trace,
    peak: PEAK_REPLICAS * capacity,
    days: DAYS,
    daySeconds: DAY_SECONDS,
    seed,
    crowds,
  });
  const counts = countsOf(arrivals, DAYS * DAY_SECONDS);
  const from = (DAYS - 1) * DAY_SECONDS;
  const { loads } = policyLoads(counts, { daySeconds: DAY_SECONDS, startupSeconds: STARTUP_SECONDS });
  return { capacity, loads, from, to: DAYS * DAY_SECONDS, arrivals: arrivals.filter(({ time }) => time >= from) };
}

function loop({ capacity, loads, arrivals, from, to }, name, use) {
  const measured = name === MEASURED ? new MeasuredCapacity(capacity) : null;
  const planned = loads[name === MEASURED ? 'ours' : name];
  const desired = (time) => Math.ceil(planned[time / DECISION_SECONDS] / (measured?.value ?? capacity) / use - 1e-9);
  const observe = (time, replicas) => measured?.observe(time, replicas);
  return replicaLoop({ arrivals, from, to, desired, observe, startupSeconds: STARTUP_SECONDS });
}

function sweep(days, name, tried) {
  return tried.map((use) => ({ use, ...mean(days.map((day) => loop(day, name, use))) }));
}

function mean(results) {
  const of = (key) => results.reduce((sum, result) => sum + result[key], 0) / results.length;
  return { replicas: of('replicas'), within: of('within') };
}

/** Between the two target uses around the share, linear. Null where none of them reaches it, or all do. */
function replicasAt(points) {
  const last = points.findLastIndex(({ within }) => within >= SHARE);
  if (last < 0 || last === points.length - 1) return null;
  const [a, b] = [points[last], points[last + 1]];
  return a.replicas + ((a.within - SHARE) / (a.within - b.within)) * (b.replicas - a.replicas);
}

const percent = (share) => `${(100 * share).toFixed(2)} %`;
