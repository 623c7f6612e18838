/** What was predicted of first tokens, and what came, beside the figures of an engine. */
import { expect, test } from 'vitest';
import { FirstTokens } from '../../../src/bridge/engines/first-tokens.js';

test('the means of the requests between two observations have the time of the second', () => {
  const kept = new FirstTokens();
  expect(kept.close(1)).toBeNull();
  kept.add(0.1, 0.3);
  kept.add(0.3, 0.5);
  expect(kept.close(2)).toEqual({ count: 2, predictedSeconds: 0.2, observedSeconds: 0.4 });
  expect(kept.close(3)).toBeNull();
  kept.add(1, 2);
  kept.close(4);
  expect(kept.at([1, 2, 3, 4, 5])).toEqual({
    predictedTtftSeconds: [null, 0.2, null, 1, null],
    observedTtftSeconds: [null, 0.4, null, 2, null],
  });
});

test('the last 3,600 observations are kept', () => {
  const kept = new FirstTokens();
  for (let second = 0; second < 5000; second++) {
    kept.add(1, 1);
    kept.close(second);
  }
  const { observedTtftSeconds } = kept.at([1399, 1400, 4999]);
  expect(observedTtftSeconds).toEqual([null, 1, 1]);
});
