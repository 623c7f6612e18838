/**
 * Traffic of the lab: who asks for what, without an end.
 *
 *     a trace    each round keeps 70 % of its requests, drawn again, and moves each by up to a second; times are stretched to the load
 *     mmpp       the simulator's bursty arrivals
 *     load 1     what an engine serves when all come at once, requests a second
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parts } from './load-parts.mjs';

const { BurstyArrivals, EngineCore, PATIENCE_SECONDS, parseTrace, RandomStream } = parts;

export const parameters = { maxModelLen: 8192, maxNumSeqs: 64, maxBatchedTokens: 2048, kvBlocks: 5120, blockSize: 16 };
const KEPT = 0.7;
const JITTER_SECONDS = 1;
const FLOOD_REQUESTS = 2000;

export function mmpp() {
  const bursty = function* (rate, seed) {
    const arrivals = new BurstyArrivals(new RandomStream(seed), rate, parameters.maxModelLen, parameters.blockSize);
    for (;;) yield arrivals.next();
  };
  return withFlood('mmpp', bursty);
}

/** A CSV of the Azure traces or JSON lines as Mooncake's. */
export function trace(file) {
  const requests = parseTrace(readFileSync(file, 'utf8'), file);
  const name = path.basename(file).replace(/^azure-llm-2023-|\.[a-z]+$/g, '');
  const span = requests.at(-1).time + 1;
  const looped = function* (rate, seed) {
    const random = new RandomStream(seed);
    const stretch = (KEPT * requests.length) / span / rate;
    for (let round = 0; ; round++) {
      const kept = requests.filter(() => random.uniform() < KEPT);
      const moved = kept.map((request) => ({
        ...request,
        time: Math.min(span, Math.max(0, request.time + (2 * random.uniform() - 1) * JITTER_SECONDS)),
      }));
      moved.sort((a, b) => a.time - b.time);
      for (const request of moved) yield arrival(request, (request.time + round * span) * stretch);
    }
  };
  return withFlood(name, looped);
}

function arrival({ contextTokens, generatedTokens }, time) {
  const prompt = Math.min(contextTokens, parameters.maxModelLen - 1);
  const maxTokens = parameters.maxModelLen - prompt;
  const output = Math.min(generatedTokens, maxTokens);
  return { time, prompt, cached: 0, maxTokens, output, reason: 'stop', patience: PATIENCE_SECONDS };
}

/** Adds what an engine serves of it: `arrivals(load, seed)` has that share of it a second. */
function withFlood(name, at) {
  const core = new EngineCore(parameters, 0);
  const flood = at(1, 0);
  for (let i = 0; i < FLOOD_REQUESTS; i++) core.submit({ ...flood.next().value, time: 0, patience: Infinity });
  let end = 0;
  while (core.running + core.waiting > 0) {
    end = core.nextEvent;
    core.advanceTo(end);
  }
  const perSecond = FLOOD_REQUESTS / end;
  return { name, perSecond, arrivals: (load, seed) => at(load * perSecond, seed) };
}
