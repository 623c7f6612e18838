import { expect, test } from 'vitest';
import { Underway } from '../../src/abort/index.js';

function held() {
  let end: { resolve: (value: number) => void; reject: (error: unknown) => void } | undefined;
  const call = new Promise<number>((resolve, reject) => {
    end = { resolve, reject };
  });
  return { call, ...end! };
}

test('none waits for the last call, and calls keep their results and errors', async () => {
  const underway = new Underway();
  await underway.none();
  const [one, two] = [held(), held()];
  const counted = [underway.during(one.call), underway.during(two.call)];
  let ended = 0;
  const waiting = [underway.none().then(() => ended++), underway.none().then(() => ended++)];
  one.resolve(1);
  expect(await counted[0]).toBe(1);
  await new Promise((turn) => setImmediate(turn));
  expect(ended).toBe(0);
  two.reject(new Error('broken'));
  await expect(counted[1]).rejects.toThrow('broken');
  await Promise.all(waiting);
  expect(ended).toBe(2);
  await underway.none();
});
