/**
 * A load like that of a day, the same for the same seed.
 *
 *     rate(t)  = peak shape(t / day) level(day) wander(t) crowd(t)
 *     shape    = 0.2 + 0.8 max(0.85 bump(10.5 h), bump(16 h)),  bump(hour) = exp(-((x - hour) / 2.2 h)² / 2), in hours of a day of 24
 *     level    = exp(0.1 n) a day;  wander = exp(0.08 a), a: AR(1) with a time constant of 1/48 of a day, a value each 1/1440
 *     crowd    = 1, or with `crowds` up to 4 times within 20 s at 3, 7 and 21 h, held for 5 min, falling with a time constant of 3 min
 *
 * A stationary source of 1.5 times the peak is thinned to that rate: an arrival is kept with the chance rate(t) / (1.5 peak). The
 * source: six independent streams, each the bursty generator of the simulator or the minutes of a trace drawn at random (a trace that
 * loops would repeat what a forecaster could learn).
 */
import { readFileSync } from 'node:fs';
import { BurstyArrivals, parseTrace, RandomStream } from './sources.mjs';

const HEADROOM = 1.5;
const MODEL_LENGTH = 8192;
const BLOCK_TOKENS = 16;
const STREAMS = 6;
const PATIENCE_SECONDS = 60;

/** Arrivals of `days` days, times from 0. `trace`: a file, or null for the shipped generator; `peak`: requests a second. */
export function dayLoad({ trace = null, peak, days, daySeconds, seed, crowds = false }) {
  const random = new RandomStream(seed);
  const rate = rateOf({ random: new RandomStream(seed + 1000), days, daySeconds, crowds });
  const source = stationary({ trace, rate: peak * HEADROOM, seed });
  const arrivals = [];
  for (const arrival of source) {
    if (arrival.time >= days * daySeconds) return arrivals;
    if (random.uniform() < rate(arrival.time) / HEADROOM) arrivals.push(arrival);
  }
}

/** Arrivals without a day, without end. */
export function stationary({ trace = null, rate, seed }) {
  const random = new RandomStream(seed + 2000);
  const minutes = trace === null ? null : minutesOf(trace);
  const each = rate / STREAMS;
  return merged(
    Array.from({ length: STREAMS }, () =>
      minutes === null ? bursty(random.bits(), each) : drawn(random.bits(), minutes, each),
    ),
  );
}

/** As a share of the peak. */
function rateOf({ random, days, daySeconds, crowds }) {
  const normal = () => Math.log(random.logNormal(1, 1));
  const levels = Array.from({ length: days }, () => Math.exp(0.1 * normal()));
  const keep = Math.exp(-48 / 1440);
  const wander = [normal()];
  while (wander.length < days * 1440) wander.push(keep * wander.at(-1) + Math.sqrt(1 - keep ** 2) * normal());
  return (time) => {
    const hour = ((time / daySeconds) % 1) * 24;
    const bump = (at) => Math.exp(-(((hour - at) / 2.2) ** 2) / 2);
    const shape = 0.2 + 0.8 * Math.max(0.85 * bump(10.5), bump(16));
    const wandered = Math.exp(0.08 * wander[Math.floor((time / daySeconds) * 1440)]);
    return (
      shape * levels[Math.floor(time / daySeconds)] * wandered * (crowds ? crowd(time % daySeconds, daySeconds) : 1)
    );
  };
}

function crowd(time, daySeconds) {
  const factors = [3, 7, 21].map((hour) => {
    const since = time - (hour / 24) * daySeconds;
    if (since < 0) return 1;
    return 1 + 3 * Math.min(1, since / 20) * Math.exp(-Math.max(0, since - 300) / 180);
  });
  return Math.max(...factors);
}

/** Independent streams, merged by time. */
function* merged(streams) {
  const heads = streams.map((stream) => ({ stream, next: stream.next().value }));
  for (;;) {
    const first = heads.reduce((a, b) => (b.next.time < a.next.time ? b : a));
    yield first.next;
    first.next = first.stream.next().value;
  }
}

function* bursty(seed, rate) {
  const source = new BurstyArrivals(new RandomStream(seed), rate, MODEL_LENGTH, BLOCK_TOKENS);
  for (;;) yield source.next();
}

function minutesOf(file) {
  const requests = parseTrace(readFileSync(file, 'utf8'), file);
  const minutes = Array.from({ length: Math.floor(requests.at(-1).time / 60) }, () => []);
  for (const request of requests) minutes[Math.floor(request.time / 60)]?.push(request);
  return minutes;
}

function* drawn(seed, minutes, rate) {
  const random = new RandomStream(seed);
  const faster = rate / (minutes.flat().length / (minutes.length * 60));
  for (let minute = 0; ; minute++) {
    for (const { time, contextTokens, generatedTokens } of minutes[random.bits() % minutes.length]) {
      const prompt = Math.min(contextTokens, MODEL_LENGTH - 1);
      const maxTokens = MODEL_LENGTH - prompt;
      const output = Math.min(generatedTokens, maxTokens);
      const at = (minute * 60 + (time % 60)) / faster;
      yield { time: at, prompt, cached: 0, maxTokens, output, reason: 'stop', patience: PATIENCE_SECONDS };
    }
  }
}
