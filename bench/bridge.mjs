/**
 * The bridge as a process of its own, driven from this one over loopback sockets.
 *
 *     plain            requests a second of a node:http server that answers 16 bytes, beside GET /livez of the bridge
 *     process          100 tokens through 1,024 units: alone, at its maximum, and as Poisson arrivals at 0.5 and 0.7 of the maximum.
 *                      The bound of the p99 is 4 times the lone time + 20 ms; medians over rounds
 *     sessions         frames of 100 rows, 8 outputs a row, beside the steps of a StreamPool of the same network in this process
 *     connections      10,000 idle and 1,000 active ones: memory, and the probes meanwhile
 *     cpu ms           of the bridge, all threads, a request, a thousand rows, or a probe: what a busy neighbour alters least
 *     probes           p99 of GET /readyz of the probe listener while all of that runs, bound 20 ms
 *
 * The engine beside the bridge is simulated in a third process. All share the cores, so the figures are those of a busy host.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { DeepTreeModel, StreamPool } from '../dist/index.js';
import { LeanClient } from './lean-client.mjs';
import { cpuOf, round } from './measure.mjs';

const TOKENS = Array.from({ length: 100 }, (_, i) => (i * 31) % 256);
const INPUTS = 16;
const ROWS = 100;
const agent = new http.Agent({ keepAlive: true, maxSockets: 2000 });
const command = path.join(import.meta.dirname, '../dist/cli/main.js');

export async function run({ quick }) {
  const seconds = quick ? 1 : 8;
  const engine = await startEngine();
  const bridge = await startBridge(engine.url);
  const probes = watchProbes(bridge.probe);
  try {
    const rows = [await plain(seconds), await rate('GET /livez of the bridge', bridge.url, '/livez', seconds)];
    rows.push(...(await processing(bridge, seconds)));
    rows.push(...(await sessions(bridge, seconds)));
    rows.push(await connections(bridge, quick ? 1000 : 10_000, quick ? 100 : 1000, seconds));
    return [...rows, await probes.row()];
  } finally {
    await probes.stop();
    agent.destroy();
    bridge.child.kill('SIGKILL');
    engine.child.kill('SIGKILL');
  }
}

/** A simulated engine in a process of its own, as a real one has. */
async function startEngine() {
  const port = await freePort();
  const child = spawn(process.execPath, [command, 'simulate', '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return { child, url: `http://127.0.0.1:${port}` };
}

async function startBridge(engine) {
  // Free only by chance: the port is taken from the range that the system gives out.
  const probe = await freePort();
  const args = [
    command,
    'bridge',
    '--engine',
    engine,
    '--listen',
    '127.0.0.1:0',
    '--probe-listen',
    `127.0.0.1:${probe}`,
    '--log-level',
    'warn',
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  for await (const chunk of child.stdout) {
    out += chunk;
    const url = /listening on (\S+)/.exec(out)?.[1];
    if (url) return { child, url, probe: `http://127.0.0.1:${probe}` };
  }
  throw new Error('the bridge did not start');
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** Asks for an answer of 200. Errors: any other status. */
async function askWell(base, where, options) {
  const answer = await ask(base, where, options);
  if (answer.status !== 200) throw new Error(`${where} answered ${answer.status}: ${answer.body}`);
  return answer;
}

function ask(base, where, { method = 'GET', body, headers = {}, through = agent } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(new URL(where, base), { method, headers, agent: through }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () =>
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }),
      );
      answer.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function plain(seconds) {
  const server = http.createServer((_, answer) => answer.end('{"status":"ok"}\n')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const row = await rate('plain node:http in this process', `http://127.0.0.1:${server.address().port}`, '/', seconds);
  server.closeAllConnections();
  server.close();
  return row;
}

/** Requests a second of 32 clients, each after the other. */
async function rate(task, base, where, seconds, options) {
  const times = await closedLoop(32, seconds, () => askWell(base, where, options));
  return {
    task,
    'requests/s': round(times.length / seconds),
    'p50 ms': quantile(times, 0.5),
    'p99 ms': quantile(times, 0.99),
  };
}

async function closedLoop(clients, seconds, call) {
  const end = performance.now() + seconds * 1000;
  const times = [];
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      while (performance.now() < end) {
        const start = performance.now();
        await call(client);
        times.push(performance.now() - start);
      }
    }),
  );
  return times;
}

function quantile(times, share) {
  const sorted = times.toSorted((a, b) => a - b);
  return round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
}

/** Medians over rounds, since the speed of a shared machine changes: each round measures its own lone time and maximum. */
async function processing({ url, child }, seconds) {
  const body = JSON.stringify({ tokens: TOKENS });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const client = new LeanClient(`${url}/v1/process`, { method: 'POST', body, headers });
  const one = async () => {
    const status = await client.send();
    if (status !== 200) throw new Error(`POST /v1/process answered ${status}`);
  };
  await closedLoop(8, seconds, one);
  const rounds = [];
  for (let turns = seconds > 1 ? 5 : 1; turns > 0; turns--) {
    const alone = await counted(child.pid, () => closedLoop(1, seconds / 6, one));
    const most = await counted(child.pid, () => closedLoop(32, seconds / 2, one));
    const perSecond = (2 * most.times.length) / seconds;
    const half = await counted(child.pid, () => poisson(0.5 * perSecond, seconds / 2, one));
    const arrivals = await counted(child.pid, () => poisson(0.7 * perSecond, seconds / 2, one));
    const bound = round(4 * quantile(alone.times, 0.5) + 20);
    rounds.push({ alone, most, perSecond, half, arrivals, bound, share: quantile(arrivals.times, 0.99) / bound });
  }
  client.close();
  const middle = (figure) => quantile(rounds.map(figure), 0.5);
  const times = (key) => ({
    'p50 ms': middle((one) => quantile(one[key].times, 0.5)),
    'p99 ms': middle((one) => quantile(one[key].times, 0.99)),
    'cpu ms': middle((one) => one[key].cpu),
  });
  const held = rounds.filter(({ share }) => share <= 1).length;
  return [
    { task: 'process alone', ...times('alone') },
    {
      task: 'process, 32 clients',
      'requests/s': middle(({ perSecond }) => perSecond),
      ...times('most'),
    },
    { task: 'process, Poisson at 0.5', ...times('half'), 'bound ms': middle(({ bound }) => bound) },
    {
      task: `process, Poisson at 0.7, held in ${held} of ${rounds.length}`,
      ...times('arrivals'),
      'bound ms': middle(({ bound }) => bound),
    },
  ];
}

/** Milliseconds of each request, and the CPU that the process took for one. */
async function counted(pid, load) {
  const before = cpuOf(pid);
  const times = await load();
  return { times, cpu: (cpuOf(pid) - before) / times.length };
}

/** Arrivals of a Poisson process, whether the ones before were answered or not. */
async function poisson(perSecond, seconds, call) {
  const times = [];
  const running = [];
  const begin = performance.now();
  const end = begin + seconds * 1000;
  for (let due = begin; due < end; due += (-Math.log(1 - Math.random()) / perSecond) * 1000) {
    const wait = due - performance.now();
    if (wait > 0.5) await new Promise((resolve) => setTimeout(resolve, wait));
    const start = due;
    running.push(call().then(() => times.push(performance.now() - start)));
  }
  await Promise.all(running);
  return times;
}

async function sessions({ url, child }, seconds) {
  const clients = 64;
  const json = { 'content-type': 'application/json' };
  const places = await Promise.all(
    Array.from({ length: clients }, async () => {
      const body = JSON.stringify({ outputs: [0, 1, 2, 3, 4, 5, 6, 7] });
      const { body: made } = await ask(url, '/v1/sessions', { method: 'POST', body, headers: json });
      return { id: JSON.parse(made).id, offset: 0 };
    }),
  );
  const frame = Buffer.from(Float32Array.from({ length: ROWS * INPUTS }, (_, i) => Math.sin(i)).buffer);
  const headers = {
    'content-type': 'application/octet-stream',
    accept: 'application/octet-stream',
    'x-dtesn-dtype': 'f32',
    'x-dtesn-shape': `${ROWS},${INPUTS}`,
    'content-length': frame.length,
  };
  const before = cpuOf(child.pid);
  const times = await closedLoop(clients, seconds, async (client) => {
    const place = places[client];
    const { status, body } = await ask(url, `/v1/sessions/${place.id}/steps`, {
      method: 'POST',
      body: frame,
      headers: { ...headers, 'x-dtesn-from': place.offset },
    });
    if (status !== 200) throw new Error(`steps answered ${status}: ${body}`);
    place.offset += ROWS;
  });
  const cpu = (cpuOf(child.pid) - before) / ((times.length * ROWS) / 1000);
  const ours = (times.length * ROWS) / seconds;
  const pool = poolRate(seconds / 2);
  return [
    {
      task: `sessions, ${clients} clients, frames of ${ROWS} rows`,
      'rows/s': round(ours),
      'p50 ms': quantile(times, 0.5),
      'p99 ms': quantile(times, 0.99),
      'of the pool': round(ours / pool),
      'cpu ms': round(cpu),
    },
    { task: 'StreamPool of 64 streams in this process', 'rows/s': round(pool) },
  ];
}

/** Steps a second of a pool of the sessions' network; filling the rings is not counted. */
function poolRate(seconds) {
  const model = new DeepTreeModel({ depth: 4, units: 1024, inputs: INPUTS, leak: 0.5, biasScaling: 0.1, seed: 0 });
  const pool = new StreamPool({ model, capacity: 64, ring: ROWS });
  const rows = Float32Array.from({ length: ROWS * INPUTS }, (_, i) => Math.sin(i));
  let steps = 0;
  let spent = 0;
  while (spent < seconds * 1000) {
    for (let id = 0; id < 64; id++) pool.push(id, rows);
    const start = performance.now();
    for (let row = 0; row < ROWS; row++) steps += pool.step();
    spent += performance.now() - start;
  }
  return (steps / spent) * 1000;
}

async function connections({ url, child }, idle, active, seconds) {
  const sockets = [];
  for (let made = 0; made < idle; made += 500) {
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(500, idle - made) }, () => idleSocket(url)))));
  }
  const many = new http.Agent({ keepAlive: true, maxSockets: active });
  const times = await closedLoop(active, seconds, () => askWell(url, '/v1/engines', { through: many }));
  const memory = memoryOf(child.pid);
  const closed = sockets.filter((socket) => socket.readyState !== 'open').length;
  if (closed > 0) throw new Error(`${closed} of ${idle} idle connections were closed during the run`);
  for (const socket of sockets) socket.destroy();
  many.destroy();
  return {
    task: `${idle} idle and ${active} active connections`,
    'requests/s': round(times.length / seconds),
    'p50 ms': quantile(times, 0.5),
    'p99 ms': quantile(times, 0.99),
    MiB: round(memory),
  };
}

/** A connection that is kept after one answer. One that sends nothing is closed once its headers are late. */
async function idleSocket(url) {
  const { host, hostname, port } = new URL(url);
  const socket = net.connect(Number(port), hostname);
  socket.write(`GET /livez HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  let came = '';
  socket.on('data', (chunk) => {
    came += chunk;
  });
  // The body is one line, as the bench of plain answers has it.
  while (!/\r\n\r\n.*\n$/s.test(came)) await once(socket, 'data', { signal: AbortSignal.timeout(10_000) });
  if (!came.startsWith('HTTP/1.1 200 ')) throw new Error(`an idle connection was answered with ${came}`);
  return socket;
}

function memoryOf(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

/** Asks the probe listener every 20 ms, in a thread of its own: the load keeps the event loop of this one busy. */
function watchProbes(url) {
  const asking = new Worker(import.meta.filename, { workerData: { url } });
  return {
    stop: () => asking.terminate(),
    row: async () => {
      asking.postMessage('end');
      const [{ times, failed }] = await once(asking, 'message');
      return {
        task: 'probes meanwhile',
        'p50 ms': quantile(times, 0.5),
        'p99 ms': quantile(times, 0.99),
        'bound ms': 20,
        failed,
      };
    },
  };
}

async function askProbes({ url }) {
  const times = [];
  let failed = 0;
  const own = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const timer = setInterval(async () => {
    const start = performance.now();
    const { status } = await ask(url, '/readyz', { through: own }).catch(() => ({ status: 0 }));
    times.push(performance.now() - start);
    if (status !== 200) failed++;
  }, 20);
  await once(parentPort, 'message');
  clearInterval(timer);
  parentPort.postMessage({ times, failed });
}

if (!isMainThread) await askProbes(workerData);
