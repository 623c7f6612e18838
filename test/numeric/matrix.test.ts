import { describe, expect, test } from 'vitest';
import { Reservoir } from '../../src/network/index.js';
import { csr, type Matrix, matrix } from '../../src/numeric/index.js';

test('a matrix without data is zeros in f32', () => {
  expect(matrix(2, 3)).toEqual({ rows: 2, cols: 3, data: new Float32Array(6) });
  expect(matrix(0, 3).data).toHaveLength(0);
});

test('a typed array is kept, not copied, over ordinary and shared memory', () => {
  for (const data of [new Float32Array(4), new Float64Array(4), new Float32Array(new SharedArrayBuffer(16))]) {
    expect(matrix(2, 2, data).data).toBe(data);
  }
});

test('arrays of numbers and of rows are row-major and become f64', () => {
  const wanted = Float64Array.of(1, 2, 3, 4, 5, 6);
  expect(matrix(2, 3, [1, 2, 3, 4, 5, 6]).data).toEqual(wanted);
  expect(
    matrix(2, 3, [
      [1, 2, 3],
      [4, 5, 6],
    ]).data,
  ).toEqual(wanted);
  expect(matrix(0, 0, []).data).toHaveLength(0);
});

describe('wrong parts of a matrix', () => {
  const growing = new (SharedArrayBuffer as new (bytes: number, options: object) => SharedArrayBuffer)(8, {
    maxByteLength: 16,
  });
  const detached = new Float64Array(1);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  test.each([
    ['rows a string', ['2', 2], TypeError, /a whole number, 0 or more, for rows but received the string "2"/],
    ['rows negative', [-1, 2], RangeError, /for rows but received -1/],
    ['cols a fraction', [1, 1.5], RangeError, /for cols but received 1.5/],
    ['cols NaN', [1, NaN], RangeError, /for cols but received NaN/],
    ['too few numbers', [2, 2, [1, 2, 3]], RangeError, /data with 2 x 2 elements but received 3/],
    ['too long a view', [2, 2, new Float64Array(5)], RangeError, /2 x 2 elements but received 5/],
    ['a detached view', [1, 1, detached], RangeError, /1 x 1 elements but received 0/],
    ['too few rows', [2, 2, [[1, 2]]], RangeError, /received 1 rows/],
    ['a short row', [2, 2, [[1, 2], [3]]], RangeError, /received 1 in row 1/],
    ['a row that is none', [2, 2, [[1, 2], 3]], TypeError, /a row of numbers for data\[1\]/],
    ['strings', [1, 2, [1, '2']], TypeError, /numbers for data \(element 1\) but received the string "2"/],
    ['null', [1, 1, null], TypeError, /for data but received null/],
    ['an Int32Array', [1, 1, new Int32Array(1)], TypeError, /Float32Array or Float64Array for data/],
    ['a DataView', [1, 1, new DataView(new ArrayBuffer(8))], TypeError, /for data/],
    ['a growable buffer', [1, 1, new Float64Array(growing)], TypeError, /fixed size for data/],
    ['a size beyond memory', [2 ** 40, 2 ** 12], Error, /bytes of memory|fit/],
  ])('%s is refused', (_name, [rows, cols, data], kind, message) => {
    const make = () => matrix(rows as number, cols as number, data as Matrix['data']);
    expect(make).toThrow(message);
    expect(make).toThrow(kind);
    expect(make).toThrow(expect.objectContaining({ code: expect.stringMatching(/^ERR_DTESN_/) }));
  });
});

test('a column that stands twice in a row of a csr matrix counts as the sum in runs and in what is read back', () => {
  const recurrent = csr(1, 1, { offsets: [0, 2], columns: [0, 0], values: [0.25, 0.5] });
  const network = new Reservoir({ weights: { recurrent, input: matrix(1, 1, [0]) }, activation: 'identity', leak: 1 });
  network.reset([1]);
  expect(network.run([0]).data[0]).toBe(0.75);
  expect(network.weights().recurrent.data[0]).toBe(0.75);
});
