/**
 * The bridge beside fifty engines, ten of which accept connections and never answer: its share of one core, bound 0.1, and the
 * oldest scrape of the others, bound 2 s.
 *
 * The engines live in a process of their own. Their /metrics is that of the simulated engine after some load, 50 KB. At each scrape
 * other requests run and more tokens are generated, so that they are busy and none is taken for hung; histograms stand still, so that
 * each body keeps their laws.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { EngineSimulator } from '../dist/simulator.js';
import { cpuOf, round } from './measure.mjs';

const command = path.join(import.meta.dirname, '../dist/cli/main.js');
const ENGINES = 40;
const HOLES = 10;
/** The first scrapes build the layouts of the bodies; V8 compiles for a minute, which takes a third of the CPU meanwhile. */
const START_SECONDS = 10;
const COMPILED_SECONDS = 60;

export async function run({ quick }) {
  const seconds = quick ? 5 : 30;
  const engines = fork(import.meta.filename, ['serve'], { stdio: 'inherit' });
  try {
    const [urls] = await once(engines, 'message');
    const args = urls.flatMap((url) => ['--engine', url]);
    const bridge = spawn(
      process.execPath,
      [command, 'bridge', ...args, '--listen', '127.0.0.1:0', '--log-level', 'error'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    try {
      const ended = once(bridge, 'exit').then(([code]) => Promise.reject(new Error(`the bridge ended with ${code}`)));
      const [line] = await Promise.race([once(bridge.stdout, 'data'), ended]);
      ended.catch(() => {});
      const url = String(line).trim().split(' ').at(-1);
      await pause(START_SECONDS);
      const rows = [await measure('while V8 compiles', url, bridge.pid, seconds)];
      if (quick) return rows;
      await pause(COMPILED_SECONDS - START_SECONDS - seconds);
      return [...rows, await measure('after a minute', url, bridge.pid, seconds)];
    } finally {
      bridge.kill('SIGKILL');
    }
  } finally {
    engines.kill('SIGKILL');
  }
}

async function measure(when, url, pid, seconds) {
  const start = cpuOf(pid);
  let oldest = 0;
  for (let second = 0; second < seconds; second++) {
    await pause(1);
    const { items } = await (await fetch(`${url}/v1/engines`)).json();
    const read = items.filter(({ figures, state }) => figures !== null && state.name === 'busy');
    if (read.length !== ENGINES) throw new Error(`${read.length} engines of ${ENGINES} are busy`);
    oldest = Math.max(oldest, ...read.map(({ stalenessSeconds }) => stalenessSeconds));
  }
  return {
    task: `${ENGINES} engines and ${HOLES} that never answer, ${when}`,
    'share of a core': round((cpuOf(pid) - start) / 1000 / seconds),
    'oldest scrape s': round(oldest),
  };
}

function pause(seconds) {
  return new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
}

async function serve() {
  const body = await loadedBody();
  const urls = await Promise.all(Array.from({ length: ENGINES }, () => listen(http.createServer(answerWith(body)))));
  const holes = await Promise.all(Array.from({ length: HOLES }, () => listen(net.createServer(() => {}))));
  process.send([...urls, ...holes]);
}

async function listen(server) {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${server.address().port}`;
}

/** /metrics of a simulated engine that has finished requests. */
async function loadedBody() {
  const engine = await EngineSimulator.start({ seed: 1 });
  await pause(3);
  const body = await (await fetch(`${engine.url}/metrics`)).text();
  await engine.close();
  return body;
}

function answerWith(body) {
  const lines = body.split('\n');
  const places = (name) => lines.flatMap((line, i) => (new RegExp(`^\\w+:${name}\\{`).test(line) ? [i] : []));
  const running = places('num_requests_running');
  const waiting = places('num_requests_waiting');
  const tokens = places('generation_tokens_total');
  if (running.length === 0 || waiting.length === 0 || tokens.length === 0) throw new Error('a series is missing');
  let scrapes = 0;
  return (request, response) => {
    if (request.url !== '/metrics') return response.writeHead(request.url === '/health' ? 200 : 404).end();
    scrapes++;
    const now = lines.slice();
    for (const i of running) now[i] = now[i].replace(/\S+$/, String(1 + (scrapes % 8)));
    for (const i of waiting) now[i] = now[i].replace(/\S+$/, '0');
    for (const i of tokens) now[i] = now[i].replace(/\S+$/, (value) => String(Number(value) + 100 * scrapes));
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(now.join('\n'));
  };
}

if (process.argv[2] === 'serve') await serve();
