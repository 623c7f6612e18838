import { expect, test } from 'vitest';
import { asMatrix, matrix } from '../../src/numeric/index.js';

test('arrays, rows and typed arrays become a matrix of f64, a Float64Array without a copy', () => {
  const data = Float64Array.of(1, 2, 3);
  expect(asMatrix(data, 'x')).toEqual({ rows: 3, cols: 1, data });
  expect(asMatrix(data, 'x').data).toBe(data);
  expect(asMatrix(matrix(2, 2, [1, 2, 3, 4]), 'x').cols).toBe(2);
  expect(asMatrix(Float32Array.of(0.5, 1), 'x')).toEqual({ rows: 2, cols: 1, data: Float64Array.of(0.5, 1) });
  expect(asMatrix([1, 2], 'x')).toEqual({ rows: 2, cols: 1, data: Float64Array.of(1, 2) });
  const rows = [
    [1, 2],
    [3, 4],
    [5, 6],
  ];
  expect(asMatrix(rows, 'x')).toEqual({ rows: 3, cols: 2, data: Float64Array.of(1, 2, 3, 4, 5, 6) });
});

test('what is no series is refused by name and place', () => {
  expect(() => asMatrix([[1, 2], [3]], 'x')).toThrow('x with 2 columns but received 1 in row 1');
  expect(() => asMatrix([1, Number.POSITIVE_INFINITY], 'x')).toThrow('finite numbers for x (row 1, column 0)');
  expect(() => asMatrix(['1'] as never, 'x')).toThrow('numbers for x[0]');
  expect(() => asMatrix({ rows: 2, cols: 2, data: new Float64Array(3) }, 'x')).toThrow('x.data with 2 x 2 elements');
  expect(() => asMatrix(undefined as never, 'x')).toThrow('for x but received undefined');
});
