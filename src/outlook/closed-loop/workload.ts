/**
 * The requests of a closed loop.
 *
 *     rate = load × flood(mix) × Σ speed        flood: requests a second that one engine of speed 1 serves when none is ever missing
 *
 * A trace keeps the requests that the seed chooses (70 %), and its time is stretched so that their mean rate is that one;
 * 'mmpp' draws an hour of bursty arrivals at it.
 */
import { readFile } from 'node:fs/promises';
import {
  type Arrival,
  BurstyArrivals,
  parseTrace,
  RandomStream,
  TraceArrivals,
  type TraceRequest,
} from '../../simulator/index.js';
import { floodRate } from './flood.js';
import { modelParameters } from './model-parameters.js';

const KEPT_SHARE = 0.7;
const SYNTHETIC_SECONDS = 3600;
const MOST_REQUESTS = 100_000;
/** Longest virtual time of arrivals: what comes later does not come. */
const MOST_SECONDS = 86_400;
const FLOOD_SEED = 1;
const FLOOD_REQUESTS = 4000;

export interface Workload {
  arrivals: Arrival[];
  /** Virtual time in which they come. */
  seconds: number;
}

export interface WorkloadOptions {
  trace: string;
  load: number;
  seed: number;
  /** Sum of the speeds of all engines. */
  speed: number;
  signal: AbortSignal | undefined;
}

export async function readWorkload({ trace, load, seed, speed, signal }: WorkloadOptions): Promise<Workload> {
  if (trace === 'mmpp') {
    const mix = bursty(FLOOD_SEED, 1, FLOOD_REQUESTS, MOST_SECONDS);
    const rate = load * speed * (await floodRate('mmpp', mix, signal));
    return { arrivals: bursty(seed, rate, MOST_REQUESTS, SYNTHETIC_SECONDS), seconds: SYNTHETIC_SECONDS };
  }
  const text = await readFile(trace, { encoding: 'utf8', signal });
  const requests = parseTrace(text, trace).slice(0, MOST_REQUESTS);
  const mix = replayed(requests.slice(0, FLOOD_REQUESTS), 1);
  const rate = load * speed * (await floodRate(`${trace}\n${text.length}\n${text.slice(-64)}`, mix, signal));
  return thinned(requests, rate, seed);
}

function thinned(requests: readonly TraceRequest[], rate: number, seed: number): Workload {
  const random = new RandomStream(seed);
  const kept = requests.filter(() => random.uniform() < KEPT_SHARE);
  const chosen = kept.length > 0 ? kept : [requests[0]!];
  const start = chosen[0]!.time;
  const recorded = chosen.at(-1)!.time - start;
  // Recorded at one moment, they come at one moment.
  const factor = recorded > 0 ? (rate * recorded) / chosen.length : 1;
  const shifted = chosen.map((request) => ({ ...request, time: request.time - start }));
  const arrivals = replayed(shifted, factor).filter(({ time }) => time <= MOST_SECONDS);
  return { arrivals, seconds: Math.min(MOST_SECONDS, recorded / factor) };
}

function replayed(requests: readonly TraceRequest[], load: number): Arrival[] {
  const source = new TraceArrivals(requests, { load, loop: false, maxModelLen: modelParameters.maxModelLen });
  return requests.map(() => source.next()!);
}

function bursty(seed: number, rate: number, most: number, seconds: number): Arrival[] {
  const { maxModelLen, blockSize } = modelParameters;
  const source = new BurstyArrivals(new RandomStream(seed), rate, maxModelLen, blockSize);
  const arrivals: Arrival[] = [];
  for (let next = source.next(); next.time <= seconds && arrivals.length < most; next = source.next())
    arrivals.push(next);
  return arrivals;
}
