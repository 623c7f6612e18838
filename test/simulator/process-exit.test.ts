import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { EmbeddedEngine, EngineSimulator } from '../../src/simulator/index.js';

/** Servers and sockets that hold the event loop; unreferenced ones are not counted. */
function holding(): string[] {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'));
}

test('an embedded engine that was used and not closed does not keep the process alive', async () => {
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

test('a closed simulator leaves no socket and no timer, whatever was under way', async () => {
  const simulator = await EngineSimulator.start({
    speed: 10,
    faults: [{ kind: 'crash', atSeconds: 1000, durationSeconds: 5 }],
  });
  const request = fetch(`${simulator.url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'x', max_tokens: 5000, ignore_eos: true, stream: true }),
  });
  const body = (await request).text();
  await simulator.close();
  await expect(body).rejects.toThrow();
  await new Promise((resolve) => setImmediate(resolve));
  expect(process.getActiveResourcesInfo().filter((name) => /TCP/.test(name))).toEqual([]);
});

test('a process whose simulator was not closed ends by itself', () => {
  const index = new URL('../../dist/index.js', import.meta.url).href;
  const program = `import { EngineSimulator } from '${index}';
    const simulator = await EngineSimulator.start({ faults: [{ kind: 'hang', atSeconds: 3600 }] });
    console.log((await fetch(simulator.url + '/health')).status);`;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect([status, stdout]).toEqual([0, '200\n']);
});
