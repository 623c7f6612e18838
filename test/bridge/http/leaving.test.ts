import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { leavingOf } from '../../../src/bridge/http/leaving.js';

const requestOn = (socket: Socket, httpVersionMajor = 1) => ({ socket, httpVersionMajor }) as IncomingMessage;

test('the requests of a connection abort together, those of others go on', () => {
  const [one, other] = [new Socket(), new Socket()];
  const leaving = leavingOf(requestOn(one));
  expect(leavingOf(requestOn(one))).toBe(leaving);
  leaving.abort(new Error('left'));
  expect(leavingOf(requestOn(other)).signal.aborted).toBe(false);
  expect(leavingOf(requestOn(one)).signal.aborted).toBe(false);
});

test('the requests of an HTTP/2 connection abort one by one', () => {
  const connection = new Socket();
  const [one, two] = [leavingOf(requestOn(connection, 2)), leavingOf(requestOn(connection, 2))];
  one.abort(new Error('left'));
  expect(two.signal.aborted).toBe(false);
});
