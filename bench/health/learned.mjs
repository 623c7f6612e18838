/**
 * Rules that learn: a watch of normal traffic, then faults of the same traffic, each seen by several contenders at once.
 *
 *     all rules       what the monitor does: AnomalyDetector
 *     chart           the load-conditioned chart alone, over the bank of moving averages
 *     chart, ESN      the same over a reservoir
 *     thresholds      learned limits of averages alone
 */
import { Reservoir, StreamPool } from '../../dist/index.js';
import { parts } from './load-parts.mjs';
import { Lab } from './scrapes.mjs';

const { AnomalyDetector, healthSample, LoadChart, ReservoirLoad, thresholdRules } = parts;

const HUNG_AFTER = 3.5;
/** Alarms that are so close are one, as in the detector. */
const EPISODE_SECONDS = 60;
const CHART_KINDS = ['slow', 'leak'];

/** The monitor's own detector; `kinds` that began at this scrape. */
class AllRules {
  constructor(learnSeconds) {
    this.detector = new AnomalyDetector({ learnSeconds, hungAfter: HUNG_AFTER });
  }
  observe(observation) {
    const { begun } = this.detector.observe(observation);
    return begun.map(({ kind, rule }) => ({ kind, rule }));
  }
  reset() {
    this.detector.restarted();
  }
}

/** A rule alone: alarms that begin, by the same law of episodes. */
class Alone {
  lastAt = new Map();
  begun(kinds, time) {
    const begun = kinds.filter((kind) => time - (this.lastAt.get(kind) ?? -Infinity) > EPISODE_SECONDS);
    for (const kind of kinds) this.lastAt.set(kind, time);
    return begun.map((kind) => ({ kind, rule: this.rule }));
  }
  get calm() {
    return (time) => [...this.lastAt.values()].every((last) => time - last > EPISODE_SECONDS);
  }
}

class ChartAlone extends Alone {
  rule = 'chart';
  constructor(learnSeconds, features) {
    super();
    this.chart = new LoadChart(learnSeconds, features);
  }
  observe({ time, figures, rates, seconds }) {
    const sample = healthSample(figures, rates);
    if (sample === null) return [];
    this.chart.observe(sample, { time, seconds, calm: this.calm(time) });
    const kinds = CHART_KINDS.filter((kind) => {
      const reading = this.chart.reading(kind);
      return reading !== null && reading.value > reading.limit;
    });
    return this.begun(kinds, time);
  }
  reset() {
    this.chart.reset();
    this.lastAt.clear();
  }
}

class ThresholdsAlone extends Alone {
  rule = 'threshold';
  constructor(learnSeconds) {
    super();
    this.rules = thresholdRules(learnSeconds);
  }
  observe({ time, figures, rates, seconds }) {
    const sample = healthSample(figures, rates);
    if (sample === null) return [];
    const calm = this.calm(time);
    const verdicts = this.rules.map((rule) => rule.observe(sample, { time, seconds, calm, knowsLoad: true }));
    return this.begun(
      verdicts.filter(({ alarm }) => alarm).map(({ kind }) => kind),
      time,
    );
  }
  reset() {
    for (const rule of this.rules) rule.reset();
    this.lastAt.clear();
  }
}

function contendersOf(learnSeconds) {
  const model = new Reservoir({ inputs: 5, units: 60, leak: 0.1, spectralRadius: 0.9, seed: 1 });
  const reservoir = new ReservoirLoad(new StreamPool({ model, capacity: 1 }), 'engine');
  return {
    'all rules': new AllRules(learnSeconds),
    chart: new ChartAlone(learnSeconds),
    'chart, ESN': new ChartAlone(learnSeconds, reservoir),
    thresholds: new ThresholdsAlone(learnSeconds),
  };
}

/** What each fault does to a core, `since` seconds after it began. */
const faults = {
  'slow 1.3x': { kind: 'slow', strike: (core) => (core.slowdown = () => 1.3) },
  'drift 2 %/s': { kind: 'slow', strike: (core, at) => (core.slowdown = (time) => 1 + 0.02 * (time - at)) },
  'leak 10 %': { kind: 'leak', strike: (core) => (core.leakShare = 0.1) },
  storm: { kind: 'storm', strike: (core) => (core.stormy = true) },
};

const FAULT_AFTER = 1200;
const FAULT_SECONDS = 300;

/** Watches one lab; `each` is given what began at a scrape. */
function watch(lab, contenders, { offset, seconds, each, at = Infinity, strike }) {
  for (let second = 1; second <= seconds; second++) {
    lab.advanceTo(second);
    if (second === at) strike(lab.cores[0], at);
    const scrape = lab.scrape();
    const state = scrape.figures.running > 0 ? 'busy' : 'ready';
    const observation = { ...scrape, time: offset + second, inFlight: lab.inFlight, state };
    for (const [name, contender] of Object.entries(contenders)) {
      for (const alarm of contender.observe(observation)) each(name, alarm, second);
    }
  }
}

/** Learns, counts false alarms, then strikes `trials` times with each fault. Seconds until an anomaly of the fault's kind begins. */
export function learned(workload, { load, seed, learnHours, watchHours, trials }) {
  const learnSeconds = 3600 * learnHours;
  const contenders = contendersOf(learnSeconds);
  const falseAlarms = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  const seconds = 3600 * (learnHours + watchHours);
  const each = (name, { kind, rule }, second) => falseAlarms[name].push({ kind, rule, hour: second / 3600 });
  watch(new Lab(workload.arrivals(load, seed)), contenders, { offset: 0, seconds, each });
  let offset = seconds;
  const delays = {};
  for (const [fault, { kind, strike }] of Object.entries(faults)) {
    delays[fault] = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
    for (let trial = 0; trial < trials; trial++) {
      offset += 3600;
      for (const contender of Object.values(contenders)) contender.reset();
      const at = FAULT_AFTER + 37 * trial;
      const found = {};
      const note = (name, alarm, second) => {
        if (second > at && alarm.kind === kind) found[name] ??= { seconds: second - at, ...alarm };
      };
      const lab = new Lab(workload.arrivals(load, 1000 * seed + trial));
      watch(lab, contenders, { offset, seconds: at + FAULT_SECONDS, each: note, at, strike });
      offset += at + FAULT_SECONDS;
      for (const name of Object.keys(contenders)) delays[fault][name].push(found[name] ?? null);
    }
  }
  return { falseAlarms, delays };
}
