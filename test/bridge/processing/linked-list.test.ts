import { expect, test } from 'vitest';
import { type Linked, LinkedList } from '../../../src/bridge/processing/linked-list.js';

interface Item extends Linked<Item> {
  name: string;
}

function open(names: string) {
  const list = new LinkedList<Item>();
  const items = [...names].map((name): Item => ({ name, before: null, after: null }));
  for (const item of items) list.add(item);
  const text = () => [...list].map(({ name }) => name).join('');
  return { list, items, text };
}

test('keeps the order of its items wherever one leaves', () => {
  const { list, items, text } = open('abcd');
  const [a, b, c, d] = items as [Item, Item, Item, Item];
  expect(text()).toBe('abcd');
  list.remove(b);
  expect(text()).toBe('acd');
  list.remove(a);
  expect(list.first).toBe(c);
  list.remove(d);
  list.add(b);
  expect(text()).toBe('cb');
  list.remove(c);
  list.remove(b);
  expect([list.first, text()]).toEqual([null, '']);
  list.add(a);
  expect(text()).toBe('a');
});

test('an item that has left refers to no other', () => {
  const { list, items } = open('abc');
  list.remove(items[1]!);
  expect(items[1]).toEqual({ name: 'b', before: null, after: null });
});
