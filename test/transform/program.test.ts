import { describe, expect, test } from 'vitest';
import {
  EncodedProgram,
  programShape,
  runProgram,
  type TransformOp,
  transformOpSchema,
} from '../../src/transform/index.js';
import fc from '../property/fast-check.js';
import { referenceProgram } from '../reference/transform.js';

type Rows = number[][];
type Memory = 'ArrayBuffer' | 'SharedArrayBuffer';

interface Kind {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, offset?: number, length?: number): Float32Array | Float64Array;
  new (length: number): Float32Array | Float64Array;
}

const memories = { ArrayBuffer, SharedArrayBuffer };
const kinds: Kind[] = [Float32Array, Float64Array];

/** Runs a program on rows that lie at a byteOffset inside a buffer, and gives back rows. */
function run(ops: TransformOp[], rows: Rows, kind: Kind = Float64Array, memory: Memory = 'ArrayBuffer'): Rows {
  const features = rows[0]?.length ?? 1;
  const { capacity } = programShape(ops, rows.length, features);
  const before = 3;
  const buffer = new memories[memory]((before + capacity + 2) * kind.BYTES_PER_ELEMENT);
  const whole = new kind(buffer).fill(7);
  const data = new kind(buffer, before * kind.BYTES_PER_ELEMENT, capacity);
  data.set(rows.flat());
  const shape = runProgram(ops, { data, steps: rows.length, features });
  expect([...whole.subarray(0, before), ...whole.subarray(before + capacity)]).toEqual([7, 7, 7, 7, 7]);
  return Array.from({ length: shape.steps }, (_, t) => [
    ...data.subarray(t * shape.features, (t + 1) * shape.features),
  ]);
}

function expectClose(actual: Rows, expected: Rows, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((row, t) => {
    expect(row.length).toBe(expected[t]!.length);
    row.forEach((value, f) => {
      const wanted = expected[t]![f]!;
      const error = Math.abs(value - wanted) / Math.max(1, Math.abs(wanted));
      if (!(error <= tolerance)) throw new Error(`step ${t}, feature ${f}: ${value}, expected ${wanted}`);
    });
  });
}

/** A wave with another phase, size and offset in each feature; exact in f32. */
function wave(steps: number, features: number): Rows {
  return Array.from({ length: steps }, (_, t) =>
    Array.from({ length: features }, (_, f) => Math.fround(Math.sin(t * 0.7 + f) * (f + 1) + f - 0.5)),
  );
}

const programs: Record<string, TransformOp[]> = {
  'truncate first': [{ op: 'truncate', steps: 5 }],
  'truncate last': [{ op: 'truncate', steps: 5, keep: 'last' }],
  'truncate to nothing': [{ op: 'truncate', steps: 0, keep: 'last' }],
  'truncate beyond the end': [{ op: 'truncate', steps: 5000, keep: 'last' }],
  pad: [{ op: 'pad', steps: 150, value: -2.5 }],
  'pad of a longer series': [{ op: 'pad', steps: 2, value: -2.5 }],
  clip: [{ op: 'clip', min: -0.25, max: 1.5 }],
  scale: [{ op: 'scale', factor: -3, offset: 0.125 }],
  'zscore measured': [{ op: 'zscore', epsilon: 1e-8 }],
  minmax: [{ op: 'minmax', low: -2, high: 3 }],
  log1p: [{ op: 'log1p' }],
  difference: [{ op: 'difference' }],
  ema: [{ op: 'ema', alpha: 0.125 }],
  'meanpool with a short last window': [{ op: 'meanpool', window: 7 }],
  'meanpool wider than the series': [{ op: 'meanpool', window: 1000 }],
  repeat: [{ op: 'repeat', times: 3 }],
  'a program of many': [
    { op: 'truncate', steps: 60, keep: 'last' },
    { op: 'log1p' },
    { op: 'repeat', times: 2 },
    { op: 'ema', alpha: 0.5 },
    { op: 'pad', steps: 130, value: 1 },
    { op: 'meanpool', window: 3 },
    { op: 'difference' },
    { op: 'minmax', low: 0, high: 1 },
  ],
};

describe.each(kinds.map((kind) => [kind.name, kind] as const))('%s', (_, kind) => {
  const tolerance = kind === Float32Array ? 1e-6 : 1e-12;

  test.each(Object.entries(programs))('%s equals the plain reference over ordinary and shared memory', (_, ops) => {
    for (const [steps, features] of [
      [1, 1],
      [101, 1],
      [100, 3],
      [37, 16],
      [20, 64],
      [9, 130],
    ] as const) {
      const rows = wave(steps, features);
      const expected = referenceProgram(ops, rows);
      expectClose(run(ops, rows, kind, 'ArrayBuffer'), expected, tolerance);
      expectClose(run(ops, rows, kind, 'SharedArrayBuffer'), expected, tolerance);
    }
  });

  test('zscore takes given moments feature by feature', () => {
    const ops: TransformOp[] = [{ op: 'zscore', mean: [1, -2, 3], deviation: [0.5, 2, 0], epsilon: 0.25 }];
    const rows = wave(50, 3);
    expectClose(run(ops, rows, kind), referenceProgram(ops, rows), tolerance);
  });

  // 65,540 is more than 16 bits; seeds above 2^32 use both key words; 5, 8 and 1 features end inside and on a block.
  test.each([1, 4, 5, 8, 64])('embed to %i features draws the words of the independent Philox', (features) => {
    for (const [seed, scale] of [
      [0, undefined],
      [12345, 0.5],
      [2 ** 53 - 1, 3],
    ] as const) {
      const rows = [0, 1, 2, 255, 65_540, 2 ** 24, 7, 0].map((token) => [token]);
      const ops: TransformOp[] = [{ op: 'embed', features, seed, ...(scale === undefined ? {} : { scale }) }];
      const got = run(ops, rows, kind, 'SharedArrayBuffer');
      expectClose(got, referenceProgram(ops, rows), kind === Float32Array ? 1e-7 : 0);
      expect(got[0]).toEqual(got[7]);
    }
  });

  test('an empty series passes every operation', () => {
    const ops: TransformOp[] = [
      ...Object.values(programs).flat(),
      { op: 'truncate', steps: 0 },
      { op: 'zscore', epsilon: 0 },
      { op: 'embed', features: 3, seed: 1 },
    ];
    const data = new kind(programShape(ops, 0, 1).capacity);
    expect(runProgram(ops, { data, steps: 0, features: 1 })).toEqual({ steps: 0, features: 3 });
  });

  test('a constant feature becomes 0 under zscore and low under minmax, never NaN', () => {
    const rows = Array.from({ length: 70 }, () => [0.1]);
    expect(new Set(run([{ op: 'zscore', epsilon: 0 }], rows, kind).flat())).toEqual(new Set([0]));
    expect(new Set(run([{ op: 'minmax', low: -1, high: 1 }], rows, kind).flat())).toEqual(new Set([-1]));
  });

  test('NaN passes every operation and spoils no other feature', () => {
    const holed = wave(100, 3);
    holed[40]![1] = Number.NaN;
    for (const [name, ops] of Object.entries(programs)) {
      if (name.startsWith('truncate')) continue;
      const got = run(ops, holed, kind);
      const features = [0, 1, 2].map((f) => got.some((row) => Number.isNaN(row[f])));
      expect([name, ...features]).toEqual([name, false, true, false]);
    }
    expect(run([{ op: 'zscore', epsilon: 1 }], holed, kind).every((row) => Number.isNaN(row[1]))).toBe(true);
    expect(run([{ op: 'minmax', low: 0, high: 1 }], holed, kind).every((row) => Number.isNaN(row[1]))).toBe(true);
  });
});

test('log1p is odd and keeps the sign of zero', () => {
  expect(run([{ op: 'log1p' }], [[-0], [Math.E - 1], [1 - Math.E]]).flat()).toEqual([-0, 1, -1]);
});

test('moments do not cancel: a large offset leaves the deviations of the small ones', () => {
  const rows = [[1e9 + 4], [1e9 + 7], [1e9 + 13], [1e9 + 16]]; // deviation √22.5, the usual example of cancellation
  const expected = [-6, -3, 3, 6].map((d) => [d / Math.sqrt(22.5)]);
  expectClose(run([{ op: 'zscore', epsilon: 0 }], rows), expected, 1e-12);
});

test('a small alpha still moves an f32 average', () => {
  const rows = Array.from({ length: 20_000 }, (_, t) => [t === 0 ? 0 : 1]);
  const got = run([{ op: 'ema', alpha: 1e-8 }], [[1], ...rows.slice(1).map(() => [2])], Float32Array);
  expect(got.at(-1)![0]).toBeCloseTo(1 + 1e-8 * 19_999, 6);
});

test('the series is transformed in its own buffer, and nothing else grows with it', () => {
  const steps = 25_000_000; // 100 MB of f32
  const ops: TransformOp[] = [
    { op: 'zscore', epsilon: 1e-8 },
    { op: 'minmax', low: -1, high: 1 },
    { op: 'ema', alpha: 0.5 },
    { op: 'difference' },
    { op: 'meanpool', window: 5 },
    { op: 'repeat', times: 5 },
    { op: 'truncate', steps: steps - 1, keep: 'last' },
  ];
  const data = new Float32Array(new SharedArrayBuffer(steps * 4));
  for (let i = 0; i < steps; i++) data[i] = i % 1000;
  const { buffer } = data;
  const before = process.memoryUsage();
  expect(runProgram(ops, { data, steps, features: 1 })).toEqual({ steps: steps - 1, features: 1 });
  const after = process.memoryUsage();
  expect(data.buffer).toBe(buffer);
  expect(data[12]).not.toBe(12);
  expect(after.rss - before.rss).toBeLessThan(20e6);
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(1e6);
});

test('scratch is a figure of the features, never of the steps', () => {
  for (const ops of Object.values(programs)) {
    for (const features of [1, 3, 64, 1000]) {
      const { scratch } = programShape(ops, 10, features);
      expect(programShape(ops, 1e9, features).scratch).toBe(scratch);
      expect(scratch).toBeLessThanOrEqual(2 * (features + 64));
    }
  }
});

test('an encoded program runs as it was encoded, whatever becomes of its operations', () => {
  const ops: TransformOp[] = [{ op: 'scale', factor: 3, offset: 1 }];
  const program = new EncodedProgram(ops);
  ops[0] = { op: 'truncate', steps: 1, keep: 'first' };
  const data = Float64Array.of(1, 2, 3);
  expect(program.shape(3, 1)).toEqual({ steps: 3, features: 1, capacity: 3, scratch: 0 });
  expect(program.run({ data, steps: 3, features: 1 })).toEqual({ steps: 3, features: 1 });
  expect([...data]).toEqual([4, 7, 10]);
});

test('programShape gives the final shape and the widest point', () => {
  const ops: TransformOp[] = [
    { op: 'truncate', steps: 100 },
    { op: 'embed', features: 8, seed: 1 },
    { op: 'repeat', times: 3 },
    { op: 'meanpool', window: 7 },
  ];
  expect(programShape(ops, 1000, 1)).toMatchObject({ steps: 43, features: 8, capacity: 2400 });
  expect(programShape([], 5, 2)).toEqual({ steps: 5, features: 2, capacity: 10, scratch: 0 });
  expect(programShape([{ op: 'pad', steps: 9, value: 0 }], 5, 2)).toMatchObject({ steps: 9, capacity: 18 });
});

test('operations survive JSON and the schema', () => {
  for (const op of [...Object.values(programs).flat(), { op: 'embed', features: 2, seed: 3, scale: 1 }]) {
    expect(transformOpSchema.parse(JSON.parse(JSON.stringify(op)))).toEqual(op);
  }
});

describe('laws', () => {
  const value = fc.double({ min: -1e3, max: 1e3, noNaN: true });
  const series = fc
    .integer({ min: 1, max: 5 })
    .chain((features) =>
      fc.array(fc.array(value, { minLength: features, maxLength: features }), { minLength: 1, maxLength: 150 }),
    );

  test('any program equals the reference', () => {
    const op: fc.Arbitrary<TransformOp> = fc.oneof(
      fc.record({ op: fc.constant('truncate' as const), steps: fc.nat(80), keep: fc.constantFrom('first', 'last') }),
      fc.record({ op: fc.constant('pad' as const), steps: fc.nat(120), value }),
      fc.record({ op: fc.constant('clip' as const), min: fc.constant(-20), max: value.map(Math.abs) }),
      fc.record({ op: fc.constant('log1p' as const) }),
      fc.record({ op: fc.constant('difference' as const) }),
      fc.record({ op: fc.constant('ema' as const), alpha: fc.double({ min: 0.01, max: 1, noNaN: true }) }),
      fc.record({ op: fc.constant('meanpool' as const), window: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ op: fc.constant('repeat' as const), times: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ op: fc.constant('scale' as const), factor: fc.constantFrom(-1, 0.5, 2), offset: value }),
    ) as fc.Arbitrary<TransformOp>;
    fc.assert(
      fc.property(series, fc.array(op, { maxLength: 5 }), (rows, ops) => {
        // The reference needs a row to know the features by.
        fc.pre(!ops.some((o) => o.op === 'truncate' && o.steps === 0));
        expectClose(run(ops, rows), referenceProgram(ops, rows), 1e-9);
      }),
    );
  });

  test('truncate and clip are idempotent', () => {
    const once: TransformOp[][] = [
      [{ op: 'truncate', steps: 10, keep: 'last' }],
      [{ op: 'truncate', steps: 10 }],
      [{ op: 'clip', min: -5, max: 0.1 }],
    ];
    fc.assert(
      fc.property(series, fc.constantFrom(...once), fc.constantFrom(...kinds), (rows, op, kind) => {
        expect(run([...op, ...op], rows, kind)).toEqual(run(op, rows, kind));
      }),
    );
  });

  test('zscore gives mean 0 and deviation 1 to every feature that varies and 0 to the others', () => {
    fc.assert(
      fc.property(series, (rows) => {
        const got = run([{ op: 'zscore', epsilon: 0 }], rows);
        for (const f of rows[0]!.keys()) {
          const before = rows.map((row) => row[f]!);
          const spread = Math.max(...before) - Math.min(...before);
          fc.pre(spread === 0 || spread > Math.max(1e-100, 1e-6 * Math.max(...before.map(Math.abs))));
          const column = got.map((row) => row[f]!);
          const mean = column.reduce((a, b) => a + b, 0) / column.length;
          const square = column.reduce((a, b) => a + b * b, 0) / column.length;
          expect(mean).toBeCloseTo(0, 8);
          expect(square).toBeCloseTo(spread === 0 ? 0 : 1, 8);
        }
      }),
    );
  });

  test('minmax reaches low and high and never leaves them', () => {
    fc.assert(
      fc.property(series, fc.constantFrom(...kinds), (rows, kind) => {
        const got = run([{ op: 'minmax', low: -0.1, high: 0.7 }], rows, kind);
        const [low, high] = kind === Float32Array ? [Math.fround(-0.1), Math.fround(0.7)] : [-0.1, 0.7];
        for (const f of rows[0]!.keys()) {
          const column = got.map((row) => row[f]!);
          expect(Math.min(...column)).toBe(low);
          expect(Math.max(...column)).toBeLessThanOrEqual(high);
          const varies = new Set(rows.map((row) => (kind === Float32Array ? Math.fround(row[f]!) : row[f]!))).size > 1;
          if (varies) expect(Math.max(...column)).toBeCloseTo(high, kind === Float32Array ? 6 : 12);
        }
      }),
    );
  });

  test('the cumulative sum of the difference is the series again', () => {
    const whole = series.map((rows) => rows.map((row) => row.map(Math.round)));
    fc.assert(
      fc.property(whole, (rows) => {
        const got = run([{ op: 'difference' }], rows);
        const total = rows[0]!.map(() => 0);
        const summed = got.map((row) => row.map((d, f) => (total[f]! += d)));
        expect(summed).toEqual(rows.map((row) => row.map((x) => x + 0)));
      }),
    );
  });

  test('meanpool of repeat is the identity for whole numbers', () => {
    const whole = series.map((rows) => rows.map((row) => row.map((x) => Math.round(x) + 0)));
    fc.assert(
      fc.property(whole, fc.integer({ min: 1, max: 9 }), fc.constantFrom(...kinds), (rows, n, kind) => {
        const ops: TransformOp[] = [
          { op: 'repeat', times: n },
          { op: 'meanpool', window: n },
        ];
        expect(run(ops, rows, kind)).toEqual(rows);
      }),
    );
  });

  test('an ema with alpha 1 is the identity', () => {
    fc.assert(fc.property(series, (rows) => expectClose(run([{ op: 'ema', alpha: 1 }], rows), rows, 1e-12)));
  });

  test('embedded features lie in [-scale, scale) and differ from token to token', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(2 ** 24), { minLength: 2, maxLength: 30 }), fc.nat(), (tokens, seed) => {
        const got = run(
          [{ op: 'embed', features: 6, seed, scale: 0.75 }],
          tokens.map((token) => [token]),
          Float32Array,
        );
        for (const x of got.flat()) expect(x >= -0.75 && x < 0.75).toBe(true);
        expect(new Set(got.map((row) => row.join())).size).toBe(tokens.length);
      }),
    );
  });
});
