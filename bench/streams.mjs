/**
 * Streams: 10,000 of 100 units, an input for each, then step(); and one lone stream's push and step.
 *
 * The limit is the multiply-add peak times the threads, at 2 units (units + inputs) operations a stream-step. The peers have
 * one thread and step the same 64 series in one product over and over, states in L1: their figure stands beside ours on one
 * thread, whose states come from wherever 10,000 of them lie.
 */
import { availableParallelism } from 'node:os';
import { native, Reservoir, StreamPool, setThreads } from '../dist/index.js';
import { measure, round } from './measure.mjs';
import { compared, measurePeers } from './peers/index.mjs';

const STREAMS = 10_000;
const UNITS = 100;
const CORES = Math.min(2, availableParallelism());
const OPERATIONS = 2 * UNITS * (UNITS + 1);

export async function run({ quick }) {
  const [peers] = await measurePeers([{ units: UNITS, series: 64 }], { quick });
  const model = new Reservoir({ units: UNITS, inputs: 1, topology: 'dense', seed: 1 });
  try {
    const rows = [await crowd(model, 1, peers, { quick })];
    if (CORES > 1) rows.push(await crowd(model, CORES, {}, { quick }));
    return [...rows, await lone(model, { quick })];
  } finally {
    setThreads(availableParallelism());
  }
}

async function crowd(model, threads, peers, { quick }) {
  setThreads(threads);
  const pool = new StreamPool({ model, capacity: STREAMS });
  const input = new Float32Array(1);
  const pushAll = () => {
    for (let id = 0; id < STREAMS; id++) {
      input[0] = Math.sin(id);
      pool.push(id, input);
    }
  };
  pushAll();
  pool.step();
  const step = await measure('step', () => pool.step(), { quick, beforeEach: pushAll });
  const pushAndStep = () => {
    pushAll();
    pool.step();
  };
  const both = await measure('push and step', pushAndStep, { quick });
  const rate = (STREAMS / step.best) * 1e6;
  const limit = native.limits().gflops.f32 * threads;
  return {
    task: `${STREAMS} streams of ${UNITS} units, ${threads} thread${threads > 1 ? 's' : ''}`,
    'million steps/s': round(rate / 1e6),
    'median of them': round(STREAMS / step.median),
    'with push': round(STREAMS / both.best),
    'step() p99 ms': round(step.p99 / 1000),
    'GFLOP/s': round((rate * OPERATIONS) / 1e9),
    'limit GFLOP/s': round(limit),
    share: round((rate * OPERATIONS) / 1e9 / limit),
    peers: compared(peers, step.best / STREAMS),
  };
}

async function lone(model, { quick }) {
  const pool = new StreamPool({ model, capacity: STREAMS });
  const input = Float32Array.of(0.5);
  const pushAndStep = () => {
    pool.push('one', input);
    pool.step();
  };
  const { best, median } = await measure('lone', pushAndStep, { quick });
  return { task: 'one stream, push and step', 'best µs': round(best), 'median µs': round(median), peers: {} };
}
