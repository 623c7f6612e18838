/**
 * An attack: random calls on networks, states, batches, streams and worker threads, aborted, closed and terminated between, each
 * compared to the bit with the same calls made one after the other.
 *
 *     npm run attack [-- --minutes 60 --seed 1]
 *
 * Each round runs several states of one network at the same time; a twin of each state runs alone afterwards. It fails when a
 * bit differs, when an error has no code, when a wrong argument is taken or changes a state, when a promise was rejected and not
 * awaited, or when memory grew by more than ROOM_MB between the first fifth and the end. The seed and the round name a failure.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { DeepTreeModel, Es2n, EuSn, Network, Nvar, Reservoir, StreamPool, setThreads } from '../dist/index.js';

const ROOM_MB = 150;
const SLOTS = 6;

if (isMainThread) await attack();
else await serve();

/** In a worker thread: runs each series that it receives through the shared network, until a message `end` or its termination. */
async function serve() {
  const network = Network.from(workerData.handle);
  parentPort.postMessage({ taken: true });
  parentPort.on('message', async ({ series, end }) => {
    if (end) return parentPort.close();
    const state = network.createState();
    await network.runAsync(series, { state, out: null });
    parentPort.postMessage({ state: Array.from(state.data) });
  });
}

async function attack() {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '3' }, seed: { type: 'string', default: '1' } },
  });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
    console.error('Expected a number above 0 for --minutes and a whole number for --seed');
    process.exit(2);
  }
  const rejections = [];
  process.on('unhandledRejection', (reason) => rejections.push(reason));
  const random = generator(seed);
  const counts = { rounds: 0, runs: 0, aborted: 0, batches: 0, streams: 0, workers: 0, terminated: 0, refused: 0 };
  const begun = performance.now();
  const end = begun + minutes * 60_000;
  let early = null;
  while (performance.now() < end) {
    counts.rounds++;
    try {
      await round(random, counts);
    } catch (error) {
      console.error(`seed ${seed}, round ${counts.rounds}:`, error);
      process.exit(1);
    }
    if (early === null && performance.now() - begun > minutes * 12_000) early = process.memoryUsage.rss();
  }
  globalThis.gc?.();
  await pause(100);
  const grown = (process.memoryUsage.rss() - (early ?? process.memoryUsage.rss())) / 2 ** 20;
  console.log(
    `${minutes} minutes, seed ${seed}: no difference;`,
    counts,
    `memory ${grown.toFixed(0)} MB more than early on`,
  );
  for (const reason of rejections) console.error('not awaited:', reason);
  if (rejections.length > 0 || grown > ROOM_MB) process.exitCode = 1;
}

async function round(random, counts) {
  setThreads(1 + random.below(4));
  const network = drawNetwork(random);
  const slots = Array.from({ length: 1 + random.below(SLOTS) }, () => {
    const state = network.createState();
    return { state, twin: network.createState() };
  });
  for (let turn = 0; turn < 3; turn++) {
    if (random.below(3) === 0) await batchTurn(random, network, slots, counts);
    else await runTurn(random, network, slots, counts);
    hostileTurn(random, network, slots[0].state, counts);
  }
  if (random.below(2) === 0) streamTurn(random, network, counts);
  if (random.below(8) === 0) await workerTurn(random, network, counts);
  for (const { state, twin } of slots) if (random.below(2) === 0) for (const one of [state, twin]) one.close();
  if (random.below(2) === 0) network.close();
}

/** Asynchronous runs of all slots at once, some of them aborted, a state closed while it runs now and then. */
async function runTurn(random, network, slots, counts) {
  const runs = slots.map(({ state, twin }) => {
    const series = drawSeries(random, network, random.below(4) === 0 ? 3000 : 40);
    const controller = new AbortController();
    const running = network.runAsync(series, { state, signal: controller.signal }).catch((error) => error);
    if (random.below(4) === 0) setTimeout(() => controller.abort(), random.below(3));
    return { state, twin, series, running, controller };
  });
  refuses(() => network.run(runs[0].series, { state: runs[0].state }), 'ERR_DTESN_BUSY');
  for (const { state, twin, series, running, controller } of runs) {
    const result = await running;
    counts.runs++;
    if (controller.signal.aborted && result === controller.signal.reason) {
      counts.aborted++;
      same('an aborted state is finite', state.data.every(Number.isFinite), true);
      twin.reset(state.data);
      continue;
    }
    if (result instanceof Error) throw result;
    equal('runAsync and run', result.data, network.run(series, { state: twin }).data);
    equal('states of runAsync and run', state.data, twin.data);
  }
}

async function batchTurn(random, network, slots, counts) {
  const series = slots.map(() => drawSeries(random, network, 60));
  const states = slots.map(({ state }) => state);
  const threads = 1 + random.below(4);
  const results = await network.runBatchAsync(series, { states, threads });
  counts.batches++;
  for (const [i, { state, twin }] of slots.entries()) {
    const [alone] = network.runBatch([series[i]], { states: [twin] });
    equal('a series in a batch and alone', results[i].data, alone.data);
    equal('its states', state.data, twin.data);
  }
}

/** Streams that are pushed in pieces and stepped in any order end where a batch of their whole series ends. */
function streamTurn(random, network, counts) {
  const pool = new StreamPool({ model: network, capacity: 80, ring: 16 });
  const streams = Array.from({ length: 1 + random.below(70) }, (_, id) => ({
    id: `${id}`,
    series: drawSeries(random, network, 24),
    pushed: 0,
  }));
  for (let open = streams; open.length > 0; open = open.filter(({ series, pushed }) => pushed < series.length)) {
    for (const stream of open) {
      const elements = (1 + random.below(4)) * network.inputs;
      const piece = stream.series.subarray(stream.pushed, stream.pushed + elements);
      if (pool.push(stream.id, piece)) stream.pushed += piece.length;
    }
    pool.step();
  }
  while (pool.ready > 0) pool.step();
  counts.streams += streams.length;
  const checked = streams.filter(() => random.below(4) === 0);
  for (const { id, series } of checked) {
    const states = network.state.slice().fill(0);
    network.runBatch([series], { out: null, states });
    equal('a stream and a batch of one', pool.state(id), states);
  }
}

/** Two workers on the same weights: one is terminated while it runs, the other's states are those of this thread. */
async function workerTurn(random, network, counts) {
  const handle = network.share();
  const start = () => new Worker(new URL(import.meta.url), { workerData: { handle } });
  const workers = [start(), start()];
  const message = (worker) =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  await Promise.all(workers.map(message));
  const series = drawSeries(random, network, 50);
  const doomed = drawSeries(random, network, 50_000);
  workers[0].postMessage({ series: doomed });
  workers[1].postMessage({ series });
  const answer = message(workers[1]);
  if (random.below(2) === 0) await pause(random.below(4));
  await workers[0].terminate();
  const twin = network.createState();
  network.run(series, { state: twin, out: null });
  equal('a worker and this thread', (await answer).state, twin.data);
  workers[1].postMessage({ end: true });
  await new Promise((resolve) => workers[1].once('exit', resolve));
  counts.workers += 2;
  counts.terminated++;
}

/** Wrong arguments are refused with a code and leave the state as it was. */
function hostileTurn(random, network, state, counts) {
  const before = state.data.slice();
  const wrong = drawWrong(random);
  const calls = [
    () => network.run(wrong, { state }),
    () => network.run([1], { state: wrong }),
    () => network.runBatch(wrong),
    () => network.runBatch([wrong], { states: [state] }),
    () => network.run(new Float64Array(network.inputs * 3).fill(Number.NaN), { state }),
    () => state.reset(wrong),
    () => network.differentials(wrong, new Array(network.inputs).fill(0), state.data, state),
    () => new StreamPool({ model: network, capacity: wrong }),
    () => new Reservoir({ units: wrong, inputs: 1 }),
    () => Network.from(wrong),
    () => network.runBatch([[1]], { [String(wrong)]: 1 }),
  ];
  refuses(calls[random.below(calls.length)]);
  counts.refused++;
  equal('a state after a refused call', state.data, before);
}

function refuses(call, code) {
  try {
    call();
  } catch (error) {
    if (typeof error.code !== 'string' || !error.code.startsWith('ERR_DTESN_')) throw error;
    if (code !== undefined) same('the code', error.code, code);
    return;
  }
  throw new Error(`Expected ${call} to be refused`);
}

function drawWrong(random) {
  const values = [
    ...[
      -1,
      0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** 53,
      '3',
      {},
      { length: -1 },
      () => 1,
      Symbol('x'),
      1n,
      true,
    ],
    ...[
      null,
      [[Number.NaN]],
      new Float32Array(2).fill(Number.NaN),
      new DataView(new ArrayBuffer(8)),
      new Map(),
      new Date(),
    ],
  ];
  return values[random.below(values.length)];
}

function drawNetwork(random) {
  const units = 1 + random.below(random.below(4) === 0 ? 400 : 60);
  const inputs = 1 + random.below(3);
  const dtype = random.below(2) === 0 ? 'f32' : 'f64';
  const common = { inputs, dtype, seed: random.below(1000) };
  const activation = ['tanh', 'sigmoid', 'relu', 'identity', 'sine', 'softplus'][random.below(6)];
  const spectralRadius = activation === 'relu' || activation === 'identity' || activation === 'softplus' ? 0.3 : 0.9;
  const topology = ['dense', 'sparse', 'block-sparse', 'cycle'][random.below(4)];
  switch (random.below(6)) {
    case 0:
      return new Es2n({ ...common, units, proximity: 0.5 });
    case 1:
      return new EuSn({ ...common, units });
    case 2:
      return new Nvar({ inputs, dtype, delay: 1 + random.below(4), order: 1 + random.below(2), strides: 1 });
    case 3:
      return new DeepTreeModel({
        ...common,
        depth: 1 + random.below(4),
        units: 8 + random.below(20),
        leak: 0.5,
        coupling: 1,
      });
    default:
      return new Reservoir({ ...common, units, leak: 0.5, spectralRadius, topology, activation });
  }
}

/** steps x inputs in the network's dtype, on shared memory. */
function drawSeries(random, { inputs, dtype }, most) {
  const elements = inputs * (1 + random.below(most));
  const bytes = dtype === 'f32' ? 4 : 8;
  const memory = new SharedArrayBuffer(elements * bytes);
  const series = dtype === 'f32' ? new Float32Array(memory) : new Float64Array(memory);
  for (let i = 0; i < elements; i++) series[i] = random.next() - 0.5;
  return series;
}

/** Numbers in [0, 1) by the 32-bit generator mulberry32. */
function generator(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (count) => Math.floor(next() * count) };
}

function equal(what, received, expected) {
  same(`the length of ${what}`, received.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(received[i], expected[i]))
      throw new Error(`${what}: element ${i} is ${received[i]}, not ${expected[i]}`);
  }
}

function same(what, received, expected) {
  if (received !== expected) throw new Error(`Expected ${expected} for ${what} but received ${received}`);
}
