/**
 * A load like that of a day, the same for the same seed.
 *
 *     rate(t) = peak shape(t / day) level(day) wander(t)
 *     shape(x) = 0.2 + 0.8 max(0.85 bump(x, 10.5 h), bump(x, 16 h)), bump = exp(-((x - hour) / 2.2 h)² / 2), in hours of a day of 24
 *     level = exp(0.1 n) a day, wander = exp(0.08 a), a: AR(1) with a time constant of day/48
 *
 * A stationary source of arrivals at `peak` times 1.5 is thinned to that rate: an arrival is kept with the chance rate(t) / (1.5 peak).
 */

import { readFileSync } from 'node:fs';
import { BurstyArrivals, parseTrace, RandomStream, TraceArrivals } from './sources.mjs';

const HEADROOM = 1.5;
const MODEL_LENGTH = 8192;
const BLOCK = 16;

/** Requests of `days` days: { time, prompt, output ... }, times from 0. `trace`: a file, or null for the shipped generator. */
export function dayLoad({ trace, peak, days, daySeconds, seed }) {
  const random = new RandomStream(seed);
  const rate = rateOf({ random: new RandomStream(seed + 1000), days, daySeconds });
  const source = trace === null ? bursty(random, peak * HEADROOM) : replay(trace, peak * HEADROOM);
  const arrivals = [];
  for (let next = source.next(); next.time < days * daySeconds; next = source.next()) {
    if (random.uniform() < Math.min(1, rate(next.time) / HEADROOM)) arrivals.push(next);
  }
  return arrivals;
}

/** As a share of the peak. */
function rateOf({ random, days, daySeconds }) {
  const normal = () => Math.log(random.logNormal(1, 1));
  const levels = Array.from({ length: days + 1 }, () => Math.exp(0.1 * normal()));
  const step = daySeconds / 1440;
  const keep = Math.exp(((-30 / 1440) * 48) / 30);
  const wander = [0];
  while (wander.length < days * 1440 + 2) wander.push(keep * wander.at(-1) + Math.sqrt(1 - keep ** 2) * normal());
  return (time) => {
    const hour = ((time / daySeconds) % 1) * 24;
    const bump = (at) => Math.exp(-(((hour - at) / 2.2) ** 2) / 2);
    const shape = 0.2 + 0.8 * Math.max(0.85 * bump(10.5), bump(16));
    return shape * levels[Math.floor(time / daySeconds)] * Math.exp(0.08 * wander[Math.floor(time / step)]);
  };
}

/** Six independent bursty streams. */
function bursty(random, rate) {
  const streams = Array.from({ length: 6 }, () => {
    const source = new BurstyArrivals(new RandomStream(random.bits()), rate / 6, MODEL_LENGTH, BLOCK);
    return { source, next: source.next() };
  });
  return {
    next() {
      const first = streams.reduce((a, b) => (b.next.time < a.next.time ? b : a));
      const arrival = first.next;
      first.next = first.source.next();
      return arrival;
    },
  };
}

function replay(file, rate) {
  const requests = parseTrace(readFileSync(file, 'utf8'), file);
  const recorded = requests.length / requests.at(-1).time;
  return new TraceArrivals(requests, { load: rate / recorded, loop: true, maxModelLen: MODEL_LENGTH });
}
