/** A large body, read in slices between which the event loop turns. */
import { describe, expect, test } from 'vitest';
import { parsePrometheus, parsePrometheusInSlices } from '../../../src/engine/index.js';
import { metricsBody } from '../../faults/engine-server.js';

const families = (count: number) =>
  Buffer.from(Array.from({ length: count }, (_, i) => `# TYPE family_${i} gauge\nfamily_${i} ${i}\n`).join(''));

/** How many turns of the event loop pass while it is read. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let done = false;
  const turn = () => {
    turns++;
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  await work.finally(() => (done = true));
  return turns;
}

test('the event loop turns many times while a large body is read, and the families are the same', async () => {
  const body = families(100_000);
  const reading = parsePrometheusInSlices(body);
  expect(await turnsDuring(reading)).toBeGreaterThan(5);
  const [sliced, whole] = [await reading, parsePrometheus(body)];
  expect(sliced.size).toBe(whole.size);
  for (const [name, family] of whole) if (sliced.get(name)?.values[0] !== family.values[0]) expect(name).toBe('equal');
});

test('a small body gives the same families as parsePrometheus', async () => {
  const samples = (metrics: Awaited<ReturnType<typeof parsePrometheusInSlices>>) =>
    [...metrics].map(([name, { type, samples }]) => [name, type, samples]);
  expect(samples(await parsePrometheusInSlices(metricsBody))).toEqual(samples(parsePrometheus(metricsBody)));
});

describe('rejects', () => {
  test.each([
    ['a syntax error with its line', `${metricsBody}x{ 1\n`],
    ['a torn histogram', '# TYPE x histogram\nx_bucket{le="+Inf"} 1\nx_count 2\n'],
    ['an empty body', ''],
  ])('parsePrometheusInSlices rejects as parsePrometheus throws: %s', async (_, body) => {
    const thrown = (() => {
      try {
        return parsePrometheus(body);
      } catch (error) {
        return error as Error;
      }
    })();
    await expect(parsePrometheusInSlices(body)).rejects.toEqual(thrown);
    expect(thrown).toBeInstanceOf(Error);
  });

  test('parsePrometheusInSlices rejects with the reason of its signal, before the first slice and between slices', async () => {
    const reason = new Error('enough');
    await expect(parsePrometheusInSlices('x 1\n', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const abort = new AbortController();
    const reading = parsePrometheusInSlices(families(100_000), { signal: abort.signal });
    abort.abort(reason);
    await expect(reading).rejects.toBe(reason);
  });
});
