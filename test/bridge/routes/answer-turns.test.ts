/** Large answers in JSON are made one after the other, with a turn of the event loop before each. */
import { expect, test } from 'vitest';
import { jsonInTurn } from '../../../src/bridge/routes/answer-turns.js';

const here = new AbortController().signal;

test('large answers that are due at the same time are made in turns of their own, small ones at once', async () => {
  const events: string[] = [];
  const large = (name: string, signal = here) =>
    jsonInTurn(2 ** 17, signal, () => {
      events.push(name);
      return { name };
    });
  const left = new AbortController();
  const all = [large('a'), large('gone', left.signal), large('b'), large('c')];
  left.abort(new Error('left'));
  expect(jsonInTurn(10, here, () => ({ x: 1 }))).toEqual({ json: { x: 1 } });
  expect(events).toEqual([]);
  const turn = () =>
    setImmediate(() => {
      events.push('turn');
      if (events.length < 20) turn();
    });
  turn();
  const [first, gone, ...others] = await Promise.allSettled(all);
  expect(first).toMatchObject({ value: { text: '{"name":"a"}', type: 'application/json' } });
  expect(gone).toMatchObject({ reason: { message: 'left' } });
  expect(others).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }]);
  const made = events.filter((name) => name !== 'turn');
  expect(made).toEqual(['a', 'b', 'c']);
  for (const name of ['b', 'c']) expect(events[events.indexOf(name) - 1]).toBe('turn');
});
