/**
 * A soak: a host that asks its engines all the time while they hang, crash, sleep and come back, for minutes.
 *
 *     npm run soak [-- --minutes 30]
 *
 * Two simulated engines, a fetcher each with CALLERS callers a tick, a fleet, and streams that are pushed, stepped and
 * released. Sixty times the heap after a collection, memory outside of it, that of the process, and the open descriptors
 * are noted. It fails when the last third lies above the first third (after a warm-up of a fifth) by more than ROOM, or
 * when a promise was rejected that nobody awaited. Of memory the least of each third counts, because a sample also holds
 * what is on its way: some 3 MB of heap come and go with the faults. Of descriptors the median: an engine that is down
 * has fewer connections.
 */

import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  AphroditeEngine,
  EngineSimulator,
  Fleet,
  fetchMultiSourceData,
  Reservoir,
  SourceFetcher,
  StreamPool,
} from '../dist/index.js';

const CALLERS = 20;
const TICK_MS = 50;
const ROOM = { heapMb: 3, externalMb: 3, rssMb: 20, descriptors: 4 };
const FAULTS = ['hang', 'sleep', 'scaling', 'crash', '5xx', 'restart', 'metrics-freeze', 'preemption-storm'];

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '3' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error(`Expected a number above 0 for --minutes but received ${values.minutes}`);
  process.exit(2);
}
if (globalThis.gc === undefined) {
  console.error('Expected node --expose-gc: use npm run soak');
  process.exit(2);
}
const rejections = [];
process.on('unhandledRejection', (reason) => rejections.push(reason));

const simulators = await Promise.all(
  [1, 2].map((seed) => EngineSimulator.start({ seed, load: 0.7, warmUpSeconds: 30 })),
);
const engines = simulators.map(({ url }) => new AphroditeEngine(url));
const fetchers = engines.map((engine) => new SourceFetcher(engine));
const fleet = new Fleet(engines, { monitor: { intervalMs: 200, timeoutMs: 150 } });
const pool = new StreamPool({ model: new Reservoir({ units: 64, inputs: 1, seed: 1 }), capacity: 256 });

const end = performance.now() + minutes * 60_000;
const sampleMs = Math.max(1000, (minutes * 60_000) / 60);
const samples = [];
const counts = { fetches: 0, picks: 0, drained: 0, steps: 0 };
let nextSample = performance.now() + sampleMs;
for (let tick = 0; performance.now() < end; tick++) {
  if (tick % 60 === 0) await changeFault(tick / 60);
  await Promise.all(fetchers.flatMap((fetcher) => Array.from({ length: CALLERS }, () => ask(fetcher))));
  choose(tick);
  stream(tick);
  if (performance.now() >= nextSample) {
    samples.push(await sample());
    nextSample += sampleMs;
  }
  await pause(TICK_MS);
}

await fleet.close();
for (const closing of [...fetchers, ...engines, ...simulators]) await closing.close();
report();

/** Every third turn all faults end, so that engines recover between. */
async function changeFault(turn) {
  for (const simulator of simulators) await simulator.clear();
  if (turn % 3 !== 0) await simulators[turn % 2].inject({ kind: FAULTS[turn % FAULTS.length], durationSeconds: 2 });
}

async function ask(fetcher) {
  await fetchMultiSourceData(fetcher);
  counts.fetches++;
}

function choose(tick) {
  try {
    fleet.pick({ session: `session-${tick % 100}` });
    counts.picks++;
  } catch (error) {
    if (error.code !== 'ERR_DTESN_NO_ENGINE') throw error;
    counts.drained++;
  }
}

function stream(tick) {
  pool.push(`stream-${tick}`, [Math.sin(tick), Math.cos(tick)]);
  counts.steps += pool.step();
  if (tick >= 200) pool.release(`stream-${tick - 200}`);
}

async function sample() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await pause(20);
  }
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  return {
    heapMb: heapUsed / 2 ** 20,
    externalMb: (external + arrayBuffers) / 2 ** 20,
    rssMb: rss / 2 ** 20,
    descriptors: openDescriptors(),
  };
}

/** Open files and sockets where the system lists them, else what keeps the process alive. */
function openDescriptors() {
  const list = '/proc/self/fd';
  return existsSync(list) ? readdirSync(list).length : process.getActiveResourcesInfo().length;
}

function report() {
  const warm = samples.slice(Math.floor(samples.length / 5));
  const third = Math.max(1, Math.floor(warm.length / 3));
  const rows = Object.keys(ROOM).map((name) => {
    const [first, last] = [warm.slice(0, third), warm.slice(-third)].map((part) =>
      (name === 'descriptors' ? median : least)(part.map((one) => one[name])),
    );
    return { name, first: round(first), last: round(last), growth: round(last - first), allowed: ROOM[name] };
  });
  console.log(`${minutes} minutes, ${samples.length} samples:`, counts);
  console.table(Object.fromEntries(rows.map(({ name, ...row }) => [name, row])));
  for (const reason of rejections) console.error('not awaited:', reason);
  const failed = rows.filter(({ growth, allowed }) => growth > allowed);
  for (const { name } of failed) console.error(`${name} grew`);
  process.exitCode = failed.length > 0 || rejections.length > 0 ? 1 : 0;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function least(values) {
  return Math.min(...values);
}

function round(value) {
  return Math.round(value * 100) / 100;
}
