import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fft } from '../../src/numeric/index.js';

const number = fc.double({ min: -1, max: 1, noNaN: true });
const series = fc.integer({ min: 0, max: 6 }).chain((log) => {
  const part = fc.array(number, { minLength: 2 ** log, maxLength: 2 ** log });
  return fc.tuple(part, part);
});

test('the transform is the sum of its definition', () => {
  fc.assert(
    fc.property(series, ([re, im]) => {
      const n = re.length;
      const [real, imaginary] = [Float64Array.from(re), Float64Array.from(im)];
      fft(real, imaginary);
      for (let k = 0; k < n; k++) {
        let [a, b] = [0, 0];
        for (let j = 0; j < n; j++) {
          const angle = (-2 * Math.PI * j * k) / n;
          a += re[j]! * Math.cos(angle) - im[j]! * Math.sin(angle);
          b += re[j]! * Math.sin(angle) + im[j]! * Math.cos(angle);
        }
        expect(Math.abs(real[k]! - a)).toBeLessThan(1e-12);
        expect(Math.abs(imaginary[k]! - b)).toBeLessThan(1e-12);
      }
    }),
  );
});

test('the transform with both parts swapped is the inverse', () => {
  const re = Float64Array.from({ length: 64 }, (_, i) => Math.sin(i * i));
  const [real, imaginary] = [re.slice(), new Float64Array(64)];
  fft(real, imaginary);
  fft(imaginary, real);
  real.forEach((value, i) => {
    expect(value / 64).toBeCloseTo(re[i]!, 14);
  });
});
