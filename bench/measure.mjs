/** One tinybench task: best and median in microseconds. */
import { Bench } from 'tinybench';

export async function measure(task, fn, { quick, ...options }) {
  const bench = new Bench({ time: quick ? 100 : 1000, warmupTime: quick ? 20 : 200, ...options });
  bench.add(task, fn);
  await bench.run();
  const { result } = bench.tasks[0];
  if (result.error) throw result.error;
  return { best: result.latency.min * 1000, median: result.latency.p50 * 1000 };
}

/** Three figures are enough of a noisy machine. */
export function round(value) {
  return Number(value.toPrecision(3));
}
