/**
 * What the monitor's states and anomalies find in simulated engines in virtual time, scraped each second: delays, misses and false
 * alarms of all rules together, and of each kind of rule alone.
 *
 *     npm run bench -- outlook-health [--trace FILE ...] [--seed N] [--quick]
 *
 * Traffic: the simulator's bursty arrivals, and each trace looped with jitter. Learned over a day, then watched for a day without
 * faults, then struck ten times by each fault.
 */
import { freeze, hang, hungRank } from './health/faults.mjs';
import { learned } from './health/learned.mjs';
import { mmpp, trace } from './health/traffic.mjs';
import { round } from './measure.mjs';

const HALF_IDLE = [0.05, 0.15];
const LOADS = [0.6, 0.8];
const TRIALS = 10;

export async function run({ quick, traces: files = [], seed = 1 }) {
  const workloads = [mmpp(), ...files.map(trace)];
  const rows = [];
  for (const workload of workloads) {
    rows.push(...HALF_IDLE.flatMap((load) => stateRows(workload, load, seed)));
    for (const load of quick ? LOADS.slice(0, 1) : LOADS) rows.push(...learnedRows(workload, { load, seed, quick }));
  }
  return rows;
}

function stateRows(workload, load, seed) {
  return Object.entries({ hang, freeze, 'hung rank of two': hungRank }).map(([fault, trial]) => {
    const trials = Array.from({ length: TRIALS }, (_, i) => trial(workload, { load, seed: TRIALS * seed + i }));
    const seconds = trials.flatMap((one) => one.seconds ?? []);
    const early = trials.reduce((sum, one) => sum + one.early, 0);
    return {
      task: `${workload.name} ${load}: ${fault}`,
      found: `${seconds.length}/${TRIALS}`,
      'median s': round(median(seconds)),
      'longest s': round(Math.max(...seconds)),
      'false alarms': early,
    };
  });
}

function learnedRows(workload, { load, seed, quick }) {
  const hours = quick ? { learnHours: 1, watchHours: 1 } : { learnHours: 24, watchHours: 24 };
  const trials = quick ? 2 : TRIALS;
  const { falseAlarms, delays } = learned(workload, { load, seed, trials, ...hours });
  const perDay = Object.entries(falseAlarms).map(([contender, alarms]) => ({
    task: `${workload.name} ${load}: no fault, ${contender}`,
    'false alarms a day': round((alarms.length * 24) / hours.watchHours),
    rules: tally(alarms),
  }));
  const found = Object.entries(delays).flatMap(([fault, byContender]) =>
    Object.entries(byContender).map(([contender, trialsOf]) => {
      const seconds = trialsOf.map((one) => one?.seconds ?? Infinity);
      return {
        task: `${workload.name} ${load}: ${fault}, ${contender}`,
        found: `${seconds.filter(Number.isFinite).length}/${trials}`,
        'median s': round(median(seconds)),
        'longest s': round(Math.max(...seconds)),
        rules: tally(trialsOf.filter((one) => one !== null)),
      };
    }),
  );
  return [...perDay, ...found];
}

/** 'slow/chart 7, leak/idle-kv 3' */
function tally(alarms) {
  const counts = new Map();
  for (const { kind, rule } of alarms) counts.set(`${kind}/${rule}`, (counts.get(`${kind}/${rule}`) ?? 0) + 1);
  return [...counts].map(([what, count]) => `${what} ${count}`).join(', ');
}

/** Of what was not found, infinite. */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
