import { describe, expect, test } from 'vitest';
import { LeastSquares } from '../../../src/outlook/prediction/least-squares.js';
import { RandomStream } from '../../../src/simulator/index.js';
import { robustLeastSquares } from '../../reference/robust-least-squares.js';

const options = { features: 4, ridge: 1, forgetting: 0.998 };

function rows(count: number, seed = 3) {
  const random = new RandomStream(seed);
  return Array.from({ length: count }, () => {
    const x = [random.uniform(), 2 * random.uniform() - 1, Math.log(random.uniform()), 1];
    const outlier = random.uniform() < 0.05 ? 30 : 0;
    return { x, target: 0.5 * x[0]! - 2 * x[1]! + 0.3 * x[2]! + 1 + 0.1 * random.uniform() + outlier };
  });
}

describe('recursive least squares of the correction', () => {
  test('its weights are those of the normal equations', () => {
    const data = rows(300);
    const squares = new LeastSquares(options);
    for (const { x, target } of data) squares.update(Float64Array.from(x), target);
    const reference = robustLeastSquares(data, { ridge: 1, forgetting: 0.998, scale: 0.5, step: 0.03 });
    squares.snapshot().weights.forEach((weight, i) => {
      expect(weight).toBeCloseTo(reference[i]!, 9);
    });
  });

  test('one row in twenty that is far off does not move the weights', () => {
    const squares = new LeastSquares(options);
    for (const { x, target } of rows(2000)) squares.update(Float64Array.from(x), target);
    const { weights } = squares.snapshot();
    [0.5, -2, 0.3, 1.05].forEach((weight, i) => {
      expect(Math.abs(weights[i]! - weight)).toBeLessThan(0.1);
    });
  });

  test('a feature that never changes does not make the covariance grow without limit', () => {
    const squares = new LeastSquares(options);
    for (let i = 0; i < 30_000; i++) squares.update(Float64Array.of(1, 0, 0, 1), 1);
    const { covariance } = squares.snapshot();
    expect(Math.max(...covariance)).toBeLessThan(1000);
    expect(squares.predict(Float64Array.of(1, 0, 0, 1))).toBeCloseTo(1, 5);
  });

  test('a restored copy learns the same bits', () => {
    const [first, second] = [new LeastSquares(options), new LeastSquares(options)];
    const data = rows(200);
    for (const { x, target } of data.slice(0, 100)) first.update(Float64Array.from(x), target);
    second.restore(JSON.parse(JSON.stringify(first.snapshot())));
    for (const { x, target } of data.slice(100)) {
      first.update(Float64Array.from(x), target);
      second.update(Float64Array.from(x), target);
    }
    expect(second.snapshot()).toEqual(first.snapshot());
  });
});
