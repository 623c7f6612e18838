/** How the suites measure: tinybench tasks for ours, short loops for peers, the limits of the machine beside them. */
import { readFileSync } from 'node:fs';
import { Bench } from 'tinybench';
import { native } from '../dist/index.js';

/** Best, median and 99th percentile of a call in microseconds; beforeEach runs outside of what is timed. */
export async function measure(task, fn, { quick, beforeEach }) {
  const bench = new Bench({ time: quick ? 100 : 1000, warmupTime: quick ? 20 : 200 });
  bench.add(task, fn, { beforeEach });
  await bench.run();
  const { result } = bench.tasks[0];
  if (result.error) throw result.error;
  const { min, p50, p99 } = result.latency;
  return { best: min * 1000, median: p50 * 1000, p99: p99 * 1000 };
}

/** The shortest of the calls that fit in some seconds, at least three, in microseconds. */
export async function bestMicroseconds(fn, seconds) {
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + seconds * 1000;
  for (let calls = 0; calls < 3 || performance.now() < end; calls++) {
    const start = performance.now();
    await fn();
    best = Math.min(best, performance.now() - start);
  }
  return best * 1000;
}

/** Runs a measurement between two of the read bandwidth at its working set; the better of them is the limit, GB/s. */
export async function withBandwidth(bytes, body) {
  const { bandwidthAt } = native.limits();
  const before = bandwidthAt(bytes);
  const figures = await body();
  return { figures, limit: Math.max(before, bandwidthAt(bytes)) };
}

/** Three figures are enough of a noisy machine. */
export function round(value) {
  return Number(value.toPrecision(3));
}

/** CPU time of a process so far in ms; the system counts in hundredths of a second. */
export function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}
