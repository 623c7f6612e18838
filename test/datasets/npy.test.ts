/** Readers of NumPy's files, on files that NumPy wrote. */
import { describe, expect, test } from 'vitest';
import { parseNpy, parseNpz, seriesOfNpy } from '../../src/datasets/index.js';
import { numpyFile } from './numpy-files.js';

const data = (expected: string | RegExp) =>
  expect.objectContaining({ name: 'DtesnError', code: 'ERR_DTESN_DATA', message: expect.stringMatching(expected) });

describe('parseNpy', () => {
  test('numbers of every type come as NumPy has them', () => {
    expect(parseNpy(numpyFile('float64'))).toEqual({
      shape: [2, 3],
      data: Float64Array.of(1.5, -2.25, 1e300, 0.1, -0, 3),
    });
    expect(parseNpy(numpyFile('float32'))).toEqual({ shape: [3], data: Float32Array.of(0.1, -2, 3.5) });
    expect(parseNpy(numpyFile('int32'))).toEqual({ shape: [2, 1], data: Float64Array.of(1, -2147483648) });
    expect(parseNpy(numpyFile('int64'))).toEqual({
      shape: [1, 2, 2],
      data: Float64Array.of(1, 2, 3, -9007199254740991),
    });
    expect(parseNpy(numpyFile('scalar'))).toEqual({ shape: [], data: Float64Array.of(7) });
  });

  test('bytes at an odd place of a buffer are read too', () => {
    const file = numpyFile('float64');
    const moved = new Uint8Array(file.length + 3);
    moved.set(file, 3);
    expect(parseNpy(moved.subarray(3))).toEqual(parseNpy(file));
  });

  test.each([
    ['wideInt64', /int64 within 2\^53/],
    ['fortran', /C order/],
    ['bigEndian', />f8/],
    ['booleans', /\|b1/],
    ['records', /records/],
  ] as const)('%s are refused with the reason', (name, reason) => {
    expect(() => parseNpy(numpyFile(name))).toThrow(data(reason));
  });

  test('a file that is cut or goes on, and other bytes, are refused', () => {
    const file = numpyFile('float64');
    for (let length = 0; length < file.length; length++)
      expect(() => parseNpy(file.subarray(0, length))).toThrow(data(''));
    expect(() => parseNpy(new Uint8Array([...file, 0]))).toThrow(data(/48 bytes of numbers/));
    expect(() => parseNpy(new Uint8Array(200))).toThrow(data(/begins with/));
    expect(() => parseNpy('text' as never)).toThrow(TypeError);
  });
});

describe('seriesOfNpy', () => {
  test('one axis is one feature, two are a series, three are many', () => {
    const sizes = (name: 'float32' | 'float64' | 'int64') =>
      seriesOfNpy(parseNpy(numpyFile(name))).map(({ rows, cols }) => [rows, cols]);
    expect(sizes('float32')).toEqual([[3, 1]]);
    expect(sizes('float64')).toEqual([[2, 3]]);
    expect(sizes('int64')).toEqual([[2, 2]]);
    expect(() => seriesOfNpy(parseNpy(numpyFile('scalar')))).toThrow(data(/one to three axes/));
  });
});

describe('parseNpz', () => {
  test('an archive gives its arrays by name, compressed or not', () => {
    const arrays = parseNpz(numpyFile('archive'));
    expect([...arrays.keys()]).toEqual(['x', 'y']);
    expect(arrays.get('x')).toEqual({ shape: [3, 2], data: Float64Array.of(0, 1, 2, 3, 4, 5) });
    expect(arrays.get('y')).toEqual({ shape: [2], data: Float64Array.of(1, 2) });
    expect(parseNpz(numpyFile('compressed')).get('x')).toEqual({ shape: [50, 2], data: new Float64Array(100) });
  });

  test.each(['archive', 'compressed'] as const)(
    'no cut and no changed byte of the file %s gives other numbers',
    (name) => {
      const file = numpyFile(name);
      const sound = [...parseNpz(file).values()];
      let read = 0;
      for (let at = 0; at < file.length; at++) {
        expect(() => parseNpz(file.subarray(0, at))).toThrow(data(''));
        const changed = Uint8Array.from(file);
        changed[at]! ^= 0x55;
        try {
          for (const array of parseNpz(changed).values()) expect(sound).toContainEqual(array);
          read++;
        } catch (error) {
          expect(error).toEqual(data(''));
        }
      }
      expect(read).toBeLessThan(file.length / 2); // names, dates and what ZIP has twice
    },
  );

  test('a size that the archive cannot hold is refused before memory is allocated', () => {
    const file = numpyFile('compressed');
    const entry = Buffer.from(file).lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    const changed = Uint8Array.from(file);
    new DataView(changed.buffer).setUint32(entry + 24, 0x7fffffff, true);
    expect(() => parseNpz(changed)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^ERR_DTESN_(DATA|MEMORY)$/) }),
    );
  });
});
