import { expect, test } from 'vitest';
import { EmbeddedEngine } from '../../src/simulator/index.js';

/** Servers and sockets that hold the event loop; unreferenced ones are not counted. */
function holding(): string[] {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'));
}

test('nothing of an engine that was asked and not closed keeps the process alive', async () => {
  expect(holding()).toEqual([]);
  const engine = await EmbeddedEngine.start();
  const asking = engine.health();
  await new Promise((resolve) => setImmediate(resolve));
  expect(holding()).not.toEqual([]); // the test can see a socket: that of the request under way
  await asking;
  await new Promise((resolve) => setImmediate(resolve)); // the client's socket goes idle after the answer
  expect(holding()).toEqual([]);
  await engine.close();
});
