import { describe, expect, test } from 'vitest';
import { addon } from '../../src/native/index.js';
import { type ProgramSeries, programShape, runProgram, type TransformOp } from '../../src/transform/index.js';

const series = (values: number[] = [1, 2, 3, 4], features = 1): ProgramSeries => ({
  data: Float64Array.from(values),
  steps: values.length / features,
  features,
});

const loose = (ops: unknown, given: unknown = series()) => runProgram(ops as TransformOp[], given as ProgramSeries);

interface Expected {
  name: string;
  code: string;
  message: RegExp;
}

function expectError(run: () => unknown, { name, code, message }: Expected): void {
  let error: unknown;
  try {
    run();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(Error);
  const { name: gotName, code: gotCode, message: got } = error as Error & { code: string };
  expect(got).toMatch(message);
  expect(gotCode).toBe(code);
  expect(gotName.startsWith(name)).toBe(true);
}

const argument = (name: 'TypeError' | 'RangeError', message: RegExp) => ({ name, code: 'ERR_DTESN_ARGUMENT', message });
const shape = (message: RegExp) => ({ name: 'RangeError', code: 'ERR_DTESN_SHAPE', message });

describe('operations', () => {
  test.each<[string, unknown, Expected]>([
    ['no array', 'clip', argument('TypeError', /an array of operations for ops .* the string "clip"/)],
    ['a null operation', [null], argument('TypeError', /an operation for ops\[0\] .* null/)],
    ['a hole', [{ op: 'log1p' }, undefined], argument('TypeError', /an operation for ops\[1\]/)],
    ['no name', [{}], argument('TypeError', /one of truncate, pad, .* for ops\[0\]\.op .* undefined/)],
    ['an unknown name', [{ op: 'fft' }], argument('RangeError', /ops\[0\]\.op but received the string "fft"/)],
    ['an inherited name', [{ op: 'toString' }], argument('RangeError', /ops\[0\]\.op/)],
    [
      'an unknown option',
      [{ op: 'ema', alhpa: 1 }],
      argument('TypeError', /Unknown option alhpa of ops\[0\] \(ema\); did you mean alpha\?/),
    ],
    ['a missing option', [{ op: 'ema' }], argument('TypeError', /a number in \(0, 1\] \(ema\) for alpha .* undefined/)],
    ['alpha 0', [{ op: 'ema', alpha: 0 }], argument('RangeError', /for alpha but received 0/)],
    ['alpha 1.5', [{ op: 'ema', alpha: 1.5 }], argument('RangeError', /for alpha but received 1.5/)],
    ['NaN', [{ op: 'scale', factor: Number.NaN, offset: 0 }], argument('TypeError', /for factor but received NaN/)],
    ['Infinity', [{ op: 'clip', min: 0, max: Infinity }], argument('TypeError', /for max but received Infinity/)],
    ['a string', [{ op: 'scale', factor: '2', offset: 0 }], argument('TypeError', /for factor .* the string "2"/)],
    ['min above max', [{ op: 'clip', min: 2, max: 1 }], argument('RangeError', /at most max \(clip\) for min .* 2/)],
    ['low at high', [{ op: 'minmax', low: 1, high: 1 }], argument('RangeError', /below high \(minmax\) for low/)],
    ['negative steps', [{ op: 'truncate', steps: -1 }], argument('RangeError', /for steps but received -1/)],
    ['half a step', [{ op: 'pad', steps: 1.5, value: 0 }], argument('RangeError', /for steps but received 1.5/)],
    ['a wrong end', [{ op: 'truncate', steps: 1, keep: 'middle' }], argument('RangeError', /'first' or 'last'/)],
    ['window 0', [{ op: 'meanpool', window: 0 }], argument('RangeError', /for window but received 0/)],
    ['times 0', [{ op: 'repeat', times: 0 }], argument('RangeError', /for times but received 0/)],
    ['2^60 times', [{ op: 'repeat', times: 2 ** 60 }], argument('RangeError', /for times/)],
    ['a negative seed', [{ op: 'embed', features: 2, seed: -1 }], argument('RangeError', /for seed but received -1/)],
    ['scale 0', [{ op: 'embed', features: 2, seed: 1, scale: 0 }], argument('RangeError', /for scale but received 0/)],
    ['a negative epsilon', [{ op: 'zscore', epsilon: -1 }], argument('RangeError', /for epsilon but received -1/)],
    [
      'a mean without a deviation',
      [{ op: 'zscore', mean: [1], epsilon: 0 }],
      argument('RangeError', /numbers of 0 or more, as many as mean has \(zscore\) for deviation .* undefined/),
    ],
    [
      'a negative deviation',
      [{ op: 'zscore', mean: [1], deviation: [-1], epsilon: 0 }],
      argument('RangeError', /numbers of 0 or more.* for deviation\.0 but received -1/),
    ],
    [
      'a NaN among the means',
      [{ op: 'zscore', mean: [Number.NaN], deviation: [1], epsilon: 0 }],
      argument('TypeError', /finite numbers, one a feature for mean\.0 but received NaN/),
    ],
  ])('%s is refused by name', (_, ops, expected) => {
    expectError(() => loose(ops), expected);
    expectError(() => programShape(ops as TransformOp[], 4, 1), expected);
  });
});

describe('series', () => {
  const clip: TransformOp[] = [{ op: 'clip', min: 0, max: 1 }];
  const wrongView = argument('TypeError', /a Float32Array or Float64Array.* for series\.data/);

  test.each<[string, unknown]>([
    ['an array of numbers', [1, 2, 3]],
    ['a DataView', new DataView(new ArrayBuffer(16))],
    ['a Uint8Array', new Uint8Array(16)],
    ['a bare buffer', new ArrayBuffer(16)],
    ['a string', 'series'],
    ['nothing', undefined],
  ])('%s is no data', (_, data) => {
    expectError(() => loose(clip, { data, steps: 1, features: 1 }), wrongView);
  });

  test('resizable and growable buffers are refused', () => {
    const resizable = Reflect.construct(ArrayBuffer, [64, { maxByteLength: 128 }]) as ArrayBuffer;
    const growable = Reflect.construct(SharedArrayBuffer, [64, { maxByteLength: 128 }]) as SharedArrayBuffer;
    for (const data of [new Float32Array(resizable), new Float32Array(growable)]) {
      expectError(
        () => runProgram(clip, { data, steps: 1, features: 1 }),
        argument('TypeError', /over a buffer of fixed size for series\.data/),
      );
    }
  });

  test('a detached buffer shows as too small', () => {
    const data = new Float64Array(4);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    expectError(
      () => runProgram(clip, { data, steps: 4, features: 1 }),
      shape(/with 4 elements or more .* received 0/),
    );
  });

  test('a buffer below the widest point of the program is refused and left alone', () => {
    const data = Float64Array.of(5, 6, 7, 8, 0);
    const ops: TransformOp[] = [...clip, { op: 'repeat', times: 2 }, { op: 'truncate', steps: 1 }];
    expectError(() => runProgram(ops, { data, steps: 4, features: 1 }), shape(/series\.data with 8 elements .* 5/));
    expect([...data]).toEqual([5, 6, 7, 8, 0]);
  });

  test.each<[string, unknown, unknown, Expected]>([
    ['negative steps', -1, 1, argument('RangeError', /for steps but received -1/)],
    ['NaN steps', Number.NaN, 1, argument('RangeError', /for steps but received NaN/)],
    ['a string', '4', 1, argument('TypeError', /for steps but received the string "4"/)],
    ['no features', 4, 0, argument('RangeError', /for features but received 0/)],
    ['2^60 steps', 2 ** 60, 1, argument('RangeError', /for steps/)],
    ['sizes whose product is too large', 2 ** 50, 2 ** 50, shape(/fewer than 2\^53 elements/)],
    ['more than the buffer holds', 2 ** 40, 1, shape(/with 1099511627776 elements or more/)],
  ])('%s are refused', (_, steps, features, expected) => {
    expectError(() => loose(clip, { data: new Float32Array(4), steps, features }), expected);
  });
});

describe('programs that do not fit their series', () => {
  test.each<[string, TransformOp[], Expected]>([
    [
      'embed on two features',
      [{ op: 'log1p' }, { op: 'embed', features: 2, seed: 0 }],
      shape(/1 feature before embed \(ops\[1\]\) but received 2/),
    ],
    [
      'moments of three features',
      [{ op: 'zscore', mean: [1, 2, 3], deviation: [1, 1, 1], epsilon: 0 }],
      shape(/one number for each feature before zscore \(ops\[0\]\) but received 3/),
    ],
    [
      'more elements than can be indexed',
      [
        { op: 'repeat', times: 2 ** 40 },
        { op: 'repeat', times: 2 ** 40 },
      ],
      shape(/fewer than 2\^53 elements after the operation \(ops\[1\]\)/),
    ],
  ])('%s are refused', (_, ops, expected) => {
    expectError(() => runProgram(ops, series([1, 2, 3, 4], 2)), expected);
    expectError(() => programShape(ops, 2, 2), expected);
  });

  test.each([3.5, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32])('embed refuses the token id %d', (token) => {
    const data = new Float64Array(8);
    data.set([1, token]);
    const expected = argument('RangeError', new RegExp(`ops\\[0\\]\\) but received ${String(token)} at step 1`));
    expectError(() => runProgram([{ op: 'embed', features: 4, seed: 0 }], { data, steps: 2, features: 1 }), expected);
  });
});

describe('the addon itself', () => {
  const codes: number[][] = [
    [0],
    [99, 0],
    [-1, 0],
    [Number.NaN, 0],
    [0, 5, 1],
    [0, -1],
    [0, Number.NaN],
    [0, 2, Number.NaN, 0],
    [9, 1, 0],
    [9, 1, -3],
    [10, 1, 1e300],
    [4, 0],
    [4, 2, 0, 1],
    [11, 3, 0, 0, 1],
    [11, 3, 2, Number.NaN, 1],
    [11, 1, 4],
  ];

  test.each(codes.map((code) => [code]))('refuses the numbers %j, which are no program', (code) => {
    const data = Float64Array.of(1, 2, 3, 4);
    expectError(() => addon().runTransform64(Float64Array.from(code), data, 4, 1), shape(/^Expected .* but received/));
    expect([...data]).toEqual([1, 2, 3, 4]);
  });

  test('refuses views of the wrong kind, and calls without arguments', () => {
    const call = addon().runTransform32 as unknown as (...given: unknown[]) => unknown;
    for (const given of [[], [1], [new Float64Array(0)], [new Float64Array(0), new Float64Array(4), 4, 1]]) {
      expectError(() => call(...given), { name: 'TypeError', code: 'ERR_DTESN_ARGUMENT', message: /Expected a Float/ });
    }
  });
});
