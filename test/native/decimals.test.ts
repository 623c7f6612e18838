import { describe, expect, test } from 'vitest';
import { f32JsonBytes, writeF32Json } from '../../src/native/index.js';

/** A list as its text, written into bytes that are not 0 and that are checked to be untouched before and after it. */
function f32Json(numbers: readonly (number | null)[]): string {
  const out = Buffer.alloc(f32JsonBytes(numbers.length) + 20, 0xaa);
  const end = writeF32Json(numbers, out, 10);
  expect(out.subarray(0, 10).every((byte) => byte === 0xaa)).toBe(true);
  expect(out.subarray(out.length - 10).every((byte) => byte === 0xaa)).toBe(true);
  return out.toString('latin1', 10, end);
}

/** The fewest digits, at most nine, that read back as this f32. */
function shortest(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    if (Math.fround(Number(value.toPrecision(digits))) === value) return value.toPrecision(digits);
  }
  return value.toPrecision(9);
}

/** As many f32 of all exponents, from bits that a generator draws. */
function anyFloats(count: number): number[] {
  const bits = new Uint32Array(count);
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bits[i] = state;
  }
  return Array.from(new Float32Array(bits.buffer)).filter(Number.isFinite);
}

const digitsOf = (text: string) =>
  text
    .replace(/^-|e.*$/g, '')
    .replace('.', '')
    .replace(/^0+/, '')
    .replace(/0+$/, '').length;

describe('f32 as JSON', () => {
  test('numbers of all sizes read back to the same f32', () => {
    const values = anyFloats(200_000);
    const read = JSON.parse(f32Json(values)) as number[];
    expect(read.map(Math.fround)).toEqual(values.map((value) => (value === 0 ? 0 : value)));
  });

  test('no number takes more digits than the plain reference, but for powers of two and ties', () => {
    const texts = (values: number[]) => f32Json(values).slice(1, -1).split(',');
    const values = anyFloats(20_000);
    const longer = texts(values).filter((text, i) => digitsOf(text) > digitsOf(shortest(values[i]!)));
    expect(longer.length / values.length).toBeLessThan(0.01);
    const unit = values.map((value) => Math.fround(value % 1)).filter((value) => Math.abs(value) > 1e-6);
    expect(texts(unit).map(digitsOf)).toEqual(unit.map((value) => digitsOf(shortest(value))));
  });

  test('numbers have the form that JavaScript gives the same decimal', () => {
    const values = [0.1, -0.1, 1, 100, 0.5, 1 / 3, 1e-6, 1.5e-7, 123456.789, 16777216, 1e9, 3.4e38, 1e-45, -2.5e-10];
    expect(f32Json(values)).toBe(
      '[0.1,-0.1,1,100,0.5,0.33333334,0.000001,1.5e-7,123456.79,16777216,1e9,3.4e38,1e-45,-2.5e-10]',
    );
  });

  test('a list of the longest forms fits', () => {
    const values = anyFloats(20_000).map((value) => -Math.fround(1e-6 + Math.abs(value % 9e-6)));
    const text = f32Json(values);
    expect((JSON.parse(text) as number[]).map(Math.fround)).toEqual(values);
    expect(
      Math.max(
        ...text
          .slice(1, -1)
          .split(',')
          .map(({ length }) => length),
      ),
    ).toBeGreaterThanOrEqual(16);
  });

  test('what JSON has no number for is null, and minus zero is 0', () => {
    expect(f32Json([null, Number.NaN, Number.POSITIVE_INFINITY, 1e39, -0])).toBe('[null,null,null,null,0]');
    expect(f32Json([])).toBe('[]');
  });

  test('too little room is an error, and nothing is written past the end', () => {
    const out = Buffer.alloc(40, 0xaa);
    expect(() => writeF32Json([1, 2], out, 4)).toThrow(/room/);
    expect(() => writeF32Json([1], out, 60)).toThrow(/room/);
    expect(out.subarray(5).every((byte) => byte === 0xaa)).toBe(true);
  });

  test('a shorter list after a longer one has its own length', () => {
    expect(f32Json([1, 2, 3])).toBe('[1,2,3]');
    expect(f32Json([4])).toBe('[4]');
  });
});
