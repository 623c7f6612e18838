/** Faults in a lab: when each is found. A hang, a freeze and a hung rank need no learning; slow, leak and storm do. */
import { parts } from './load-parts.mjs';
import { Lab } from './scrapes.mjs';

const { EngineStateTracker, PartialHangRule } = parts;

const HUNG_AFTER = 3.5;
const GIVE_UP_SECONDS = 600;

/** When the fault strikes: between two scrapes, after some minutes. */
const momentOf = (seed) => 300 + ((seed * 37) % 97) + ((seed * 7) % 10) / 10 + 0.05;

/**
 * Scrapes each second, strikes, and watches on. `seconds`: from the event that `begins` names until it is found, null where it is not.
 * `early`: scrapes before the fault that claim it.
 */
function struck(workload, { load, seed, ranks = 1, strike, begins, found }) {
  const at = momentOf(seed);
  let begin = null;
  const event = (name, time) => {
    if (time >= at && begins(name, lab)) begin ??= time;
  };
  const tracker = new EngineStateTracker(HUNG_AFTER);
  const partial = new PartialHangRule(HUNG_AFTER);
  const lab = new Lab(workload.arrivals(load, seed), {
    ranks,
    onAnswer: (time) => {
      tracker.answered(time);
      event('answer', time);
    },
    onSubmit: (rank, time) => event(`request ${rank}`, time),
  });
  const isFound = (time) => {
    lab.advanceTo(time);
    const { figures } = lab.scrape();
    const state = tracker.observe({ time, health: 'ok', metrics: 'ok', figures, inFlight: lab.inFlight });
    return found({ state: state.name, verdicts: partial.observe(figures, time, lab.inFlight) });
  };
  let early = 0;
  for (let time = 1; time <= at; time++) if (isFound(time)) early++;
  lab.advanceTo(at);
  strike(lab);
  event('strike', at);
  for (let time = Math.ceil(at); time < (begin ?? time) + GIVE_UP_SECONDS; time++) {
    if (isFound(time)) return { seconds: time - begin, early };
  }
  return { seconds: null, early };
}

/** A hang of the whole engine, from the first request that stays unanswered. */
export const hang = (workload, options) =>
  struck(workload, {
    ...options,
    strike: (lab) => {
      for (const core of lab.cores) core.hung = true;
    },
    begins: (name, lab) => name === 'request 0' || (name === 'strike' && lab.inFlight > 0),
    found: ({ state }) => state === 'hung',
  });

/** Metrics that stand still while the engine works, from the first answer after that. */
export const freeze = (workload, options) =>
  struck(workload, {
    ...options,
    strike: (lab) => lab.freeze(),
    begins: (name) => name === 'answer',
    found: ({ state }) => state === 'frozen',
  });

/** One of two ranks hangs, from the first request that it leaves unanswered. */
export const hungRank = (workload, options) => {
  const rank = options.seed % 2;
  return struck(workload, {
    ...options,
    ranks: 2,
    strike: (lab) => {
      lab.cores[rank].hung = true;
    },
    begins: (name, lab) => name === `request ${rank}` || (name === 'strike' && lab.cores[rank].running > 0),
    found: ({ state, verdicts }) => state === 'hung' || verdicts.some(({ alarm }) => alarm),
  });
};
