// The body is a true one of the engine: names, types and buckets as it exposes them. Expected figures read with grep.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { engineMetrics, parsePrometheus } from '../../src/engine/index.js';

const file = fileURLToPath(new URL('../../../shared/golden/engine-metrics.txt', import.meta.url));
const absent = !existsSync(file);
const body = absent ? Buffer.alloc(0) : readFileSync(file);

test.skipIf(absent)('the complete body of a real engine gives its figures (skipped: no data)', () => {
  const figures = {
    running: 19,
    waiting: 2,
    waitingByReason: { capacity: 2, deferred: 0 },
    inferenceSeconds: expect.closeTo(1221.09, 2),
    kvUsageMean: 0.5166666666666666,
    kvUsageMax: 0.5166666666666666,
    requestsByReason: { stop: 152, length: 38, abort: 14, error: 0, repetition: 0 },
    requestsTotal: 204,
    errors: 0,
    promptTokens: 306349,
    generationTokens: 34635,
    preemptions: 4,
    iterationCount: 2500,
    sleeping: false,
    kvBlocks: { num: 27389, blockSize: 16 },
    kvTokensCapacity: 27389 * 16,
    unknown: [],
  };
  expect(engineMetrics(parsePrometheus(body))).toEqual({
    ...figures,
    engineType: 'aphrodite',
    processStartSeconds: 1.7953796409e9,
    engines: [{ engine: '0', ...figures }],
  });
});

test.skipIf(absent)('every line of the complete body is read (skipped: no data)', () => {
  const lines = body.toString('utf8').split('\n');
  const samples = lines.filter((line) => line !== '' && !line.startsWith('#')).length;
  const types = lines.filter((line) => line.startsWith('# TYPE')).length;
  const families = [...parsePrometheus(body).values()];
  expect(families.length).toBe(types);
  expect(families.reduce((sum, family) => sum + family.samples.length, 0)).toBe(samples);
});

// The cut at which promtool says "unexpected end of input stream".
test.skipIf(absent)('the complete body cut at 30,011 bytes is refused (skipped: no data)', () => {
  expect(() => parsePrometheus(body.subarray(0, 30_011))).toThrow(/ends in the middle/);
});

test.skipIf(absent)('the complete body cut inside any line is refused (skipped: no data)', () => {
  for (let length = 1; length < body.length; length += 97) {
    if (body[length - 1] === 0x0a) continue;
    expect(() => parsePrometheus(body.subarray(0, length))).toThrow(/ends in the middle/);
  }
});
