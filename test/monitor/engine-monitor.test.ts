/** The monitor over HTTP: an engine that hangs, dies and comes back. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { AphroditeEngine } from '../../src/engine/index.js';
import { EngineMonitor, type EngineMonitorOptions, type EngineStateName } from '../../src/monitor/index.js';
import { watchTimers } from '../sources/open-timers.js';

const pace = { intervalMs: 20, timeoutMs: 2000, hungAfterMs: 200 };
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** An engine whose figures a test sets; `silent` keeps it from answering. */
const face = { running: 1, iterations: 0, moving: true, started: 1000, health: 200, silent: false };

async function serve(port = 0): Promise<Server> {
  const server = createServer(({ url }, response) => {
    if (face.silent) return;
    if (url === '/health') return response.writeHead(face.health).end();
    if (face.moving) face.iterations += 5;
    response.end(
      [
        '# TYPE process_start_time_seconds gauge',
        `process_start_time_seconds ${face.started}`,
        '# TYPE aphrodite:num_requests_running gauge',
        `aphrodite:num_requests_running{engine="0"} ${face.running}`,
        '# TYPE aphrodite:num_requests_waiting gauge',
        'aphrodite:num_requests_waiting{engine="0"} 0',
        '# TYPE aphrodite:generation_tokens counter',
        `aphrodite:generation_tokens_total{engine="0"} ${face.iterations}`,
        '',
      ].join('\n'),
    );
  });
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  closing.push(() => stop(server));
  return server;
}

function stop(server: Server): Promise<unknown> {
  server.closeAllConnections();
  return new Promise((closed) => server.close(closed));
}

function watch(port: number, options: EngineMonitorOptions = pace) {
  const engine = new AphroditeEngine(`http://127.0.0.1:${port}`, { timeoutMs: 2000 });
  const monitor = new EngineMonitor(engine, options);
  closing.push(
    () => engine.close(),
    () => monitor.close(),
  );
  return monitor;
}

const reaches = (monitor: EngineMonitor, name: EngineStateName) =>
  vi.waitFor(() => expect(monitor.state.name).toBe(name), { timeout: 20_000, interval: 5 });

test('the monitor reports an engine as busy, hung while /health is 200, busy again, dead, and restarting', async () => {
  Object.assign(face, { running: 1, moving: true, health: 200, silent: false });
  const server = await serve();
  const { port } = server.address() as AddressInfo;
  const monitor = watch(port);
  const names: string[] = [];
  monitor.on('state', ({ name }) => names.push(name));
  await reaches(monitor, 'busy');
  face.moving = false;
  await reaches(monitor, 'hung');
  expect(monitor.state.evidence[0]).toMatch(/1 requests run on engine 0, but no iteration for/);
  face.moving = true;
  await reaches(monitor, 'busy');
  await stop(server);
  await reaches(monitor, 'dead');
  Object.assign(face, { started: 2000, iterations: 0 });
  await serve(port);
  await reaches(monitor, 'busy');
  expect(monitor.restarts).toBe(1);
  expect(names).toEqual(['busy', 'hung', 'busy', 'dead', 'restarting', 'busy']);
});

test('an engine that stops answering is hung, and its figures are null', async () => {
  Object.assign(face, { running: 0, health: 200, silent: false });
  const { port } = (await serve()).address() as AddressInfo;
  const monitor = watch(port, { intervalMs: 20, timeoutMs: 50, hungAfterMs: 200 });
  await reaches(monitor, 'ready');
  expect(monitor.figures?.running).toBe(0);
  face.silent = true;
  await reaches(monitor, 'hung');
  expect(monitor.figures).toBeNull();
});

test('an engine that does not listen yet is loading; close() leaves no timer', async () => {
  const timers = watchTimers();
  const monitor = watch(1, { ...pace, intervalMs: 60_000 });
  await reaches(monitor, 'loading');
  await expect.poll(() => timers.open).toBe(1); // that of the next observation
  await monitor.close();
  expect(timers.open).toBe(0);
  timers.end();
});

test('close() stops the monitor, and its state stays', async () => {
  const monitor = watch(1);
  await reaches(monitor, 'loading');
  await monitor.close();
  const { state } = monitor;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(monitor.state).toBe(state);
});

test('an engine whose gauges are 0 is hung when the caller has requests in flight', async () => {
  Object.assign(face, { running: 0, moving: false, health: 200, silent: false });
  const { port } = (await serve()).address() as AddressInfo;
  const monitor = watch(port);
  await reaches(monitor, 'ready');
  monitor.inFlight(2);
  await reaches(monitor, 'hung');
  expect(monitor.state.evidence[0]).toMatch(/^2 requests are in flight and none runs, but no iteration for/);
  monitor.inFlight(0);
  await reaches(monitor, 'ready');
  expect(() => monitor.inFlight(-1)).toThrow(/a whole number of requests, 0 or more, for requests/);
  expect(() => monitor.inFlight('2' as never)).toThrow(TypeError);
});

describe('a listener that fails', () => {
  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('broken');
      },
    ],
  ])(
    'a listener that %s is reported once; the watch and the other listeners continue, and close() resolves',
    async (_, broken) => {
      Object.assign(face, { running: 0, health: 200, silent: false });
      const { port } = (await serve()).address() as AddressInfo;
      const reports: unknown[] = [];
      const onListenerError = (error: unknown, event: string) => reports.push([event, (error as Error).message]);
      const monitor = watch(port, { ...pace, onListenerError });
      let observations = 0;
      monitor.on('observation', broken);
      monitor.on('observation', () => observations++);
      await vi.waitFor(() => expect(observations).toBeGreaterThan(3), { timeout: 20_000 });
      expect(reports).toEqual([['observation', 'broken']]);
      face.running = 1;
      await reaches(monitor, 'busy');
      await expect(monitor.close()).resolves.toBeUndefined();
    },
  );

  test('a listener that fails without a handler is a process warning', async () => {
    Object.assign(face, { running: 0, health: 200, silent: false });
    const { port } = (await serve()).address() as AddressInfo;
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    watch(port).on('state', () => {
      throw new Error('broken');
    });
    expect(await warned).toMatchObject({
      code: 'DTESN_LISTENER',
      message: expect.stringMatching(/^A listener of state threw: Error: broken/),
    });
  });
});

test('a missing engine and options out of range are refused', () => {
  expect(() => new EngineMonitor(null as never)).toThrow(/Expected an Engine for engine/);
  expect(() => new EngineMonitor({ metrics() {} } as never, { intervalMs: 0 })).toThrow(/for intervalMs/);
  expect(() => new EngineMonitor({ metrics() {} } as never, { onListenerError: 1 as never })).toThrow(
    /a function \(error, event\) for onListenerError/,
  );
});
