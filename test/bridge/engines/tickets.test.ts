/** Tickets: how many are open, how long they live, and when they are evidence that an engine has work. */
import { describe, expect, test } from 'vitest';
import { EXPIRES_MS, LAG_MS, TicketBook } from '../../../src/bridge/engines/tickets.js';
import { ManualClock } from '../../manual-clock.js';

function bookOf(capacity = 1000) {
  const clock = new ManualClock();
  const lost: string[] = [];
  const book = new TicketBook({ clock, capacity, lost: ({ id }, how) => lost.push(`${id} ${how}`) });
  const send = (caller: string, id?: string) => book.dispatch({ engine: 'e', caller, id, promptTokens: 10 });
  /** A caller whose request the engine was seen to serve. */
  const serve = (caller: string) => {
    const { id } = send(caller);
    book.observed('e', { moved: true, idle: false });
    book.finish(id);
  };
  return { clock, lost, book, send, serve };
}

describe('a ticket', () => {
  test('is opened once by its id and finished once, and a repeated call answers the same', () => {
    const { book, send } = bookOf();
    const ticket = send('a', 't1');
    expect(send('a', 't1')).toBe(ticket);
    expect(book.work('e')).toEqual({ tickets: 1, promptTokens: 10 });
    expect(book.firstToken('t1')?.isNew).toBe(true);
    expect(book.firstToken('t1')?.isNew).toBe(false);
    expect(book.work('e')).toEqual({ tickets: 1, promptTokens: 0 });
    expect(book.finish('t1')?.isNew).toBe(true);
    expect(book.finish('t1')?.isNew).toBe(false);
    expect(send('a', 't1')).toBe(ticket);
    expect(book.work('e')).toEqual({ tickets: 0, promptTokens: 0 });
    expect(book.finish('other')).toBeNull();
  });

  test('that names another engine than before is refused', () => {
    const { book, send } = bookOf();
    send('a', 't1');
    expect(() => book.dispatch({ engine: 'f', caller: 'a', id: 't1' })).toThrow(/Ticket t1 is one of engine e/);
  });

  test('expires after ten minutes and is unknown then', async () => {
    const { book, clock, lost, send } = bookOf();
    send('a', 't1');
    await clock.pass(EXPIRES_MS - 1);
    expect(book.work('e').tickets).toBe(1);
    await clock.pass(1);
    expect(book.work('e').tickets).toBe(0);
    expect(book.finish('t1')).toBeNull();
    expect(lost).toEqual(['t1 expired']);
  });

  test('is dropped, the oldest first, where there are more than the book keeps', () => {
    const { book, lost, send } = bookOf(3);
    for (const id of ['t1', 't2', 't3', 't4']) send('a', id);
    expect(lost).toEqual(['t1 dropped']);
    expect(book.work('e').tickets).toBe(3);
  });

  test('counts as sent lately until gauges show it, or until it is finished', async () => {
    const { book, clock, send } = bookOf();
    send('a', 't1');
    await clock.pass(1000);
    for (let i = 0; i < 20; i++) send('a', `u${i}`);
    expect(book.lately('e')).toBe(21);
    book.finish('t1');
    book.finish('u3');
    expect(book.lately('e')).toBe(19);
    await clock.pass(LAG_MS - 1000);
    expect(book.lately('e')).toBe(19);
    await clock.pass(1000);
    expect(book.lately('e')).toBe(0);
    book.finish('u4');
    send('a', 'v');
    expect(book.lately('e')).toBe(1);
  });
});

describe('tickets are evidence', () => {
  test('when two callers have some open', () => {
    const { book, send } = bookOf();
    for (let i = 0; i < 1000; i++) send('a');
    expect(book.evidence('e')).toBe(0);
    send('b');
    expect(book.evidence('e')).toBe(1000); // the thousand-and-first dropped the oldest
  });

  test('when their one caller was served before, as a scrape that counted work showed', () => {
    const { book, send, serve } = bookOf();
    serve('a');
    send('a');
    expect(book.evidence('e')).toBe(1);
    send('b');
    book.finish(send('a').id);
    expect(book.evidence('e')).toBe(2);
  });

  test('not of a caller that was quiet while the engine counted work', () => {
    const { book, send, serve } = bookOf();
    serve('a');
    book.observed('e', { moved: true, idle: false });
    send('b');
    expect(book.evidence('e')).toBe(0);
  });

  test('not when a living engine shows that it does not have them', async () => {
    const { book, clock, send, serve } = bookOf();
    serve('a');
    send('a');
    await clock.pass(LAG_MS + 1);
    expect(book.evidence('e')).toBe(1);
    book.observed('e', { moved: false, idle: true });
    expect(book.evidence('e')).toBe(1);
    book.observed('e', { moved: true, idle: true });
    expect(book.evidence('e')).toBe(0);
    send('a');
    expect(book.evidence('e')).toBe(1);
  });

  test('not when they had their first token: their end may not have been reported', () => {
    const { book, send, serve } = bookOf();
    serve('a');
    const { id } = send('a');
    expect(book.evidence('e')).toBe(1);
    book.firstToken(id);
    expect(book.evidence('e')).toBe(0);
  });

  test('not when their callers report nothing for a minute', async () => {
    const { book, clock, send } = bookOf();
    send('a');
    send('b');
    await clock.pass(60_000);
    expect(book.evidence('e')).toBe(2);
    await clock.pass(1);
    expect(book.evidence('e')).toBe(0);
  });

  test('not when they have expired, and their caller has to be served once more', async () => {
    const { book, clock, send, serve } = bookOf();
    serve('a');
    send('a', 'old');
    await clock.pass(EXPIRES_MS);
    expect(book.evidence('e')).toBe(0);
    send('a');
    expect(book.evidence('e')).toBe(0);
    serve('a');
    send('a');
    expect(book.evidence('e')).toBe(2);
  });
});
