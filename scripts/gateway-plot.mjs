/**
 * Runs the gateway of examples/ before three simulated engines of unequal speed, without a bridge and with one, and draws what its
 * clients saw: `node scripts/gateway-plot.mjs [--seconds 100] [--svg FILE]`. Needs `npm run build`.
 *
 *     docs/images/gateway.svg    times to first token and the share of requests within 2 s, before and after
 *
 * Requests come by a seeded bursty generator: calm, and four times as many for 5 of 25 s; prompts and answers are log-normal as in the
 * Azure trace of conversations. Both runs get the same requests at the same times. It runs in real time, at a quarter of the engines'
 * speed, so figures vary by a little, and 100 seconds take a quarter of an hour.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { plot } from './gateway-plot-svg.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const SLO_MS = 2000;
/** Seconds of the engines a real one: slowed down, so that delays of this host weigh little. Times below are those of the engines. */
const PACE = 0.25;
const SPEEDS = [PACE, PACE, PACE / 2];
const CALM_RATE = 7;
const PATIENCE_MS = 30_000;

/** Pictures by their paths in the repository. */
export const pictures = { 'docs/images/gateway.svg': run };

/** What the clients saw: { before, after }, each a list of { at, ttftMs, refused } in seconds since the start. */
export async function measure(seconds, log = () => {}) {
  const requests = [...arrivals(seconds, 7)];
  const before = await withEngines((urls) =>
    withGateway(['http://127.0.0.1:9', ...urls], (url) => send(url, requests)),
  );
  log(summary('without a bridge', before));
  const after = await withEngines((urls) =>
    withBridge(urls, (bridge) => withGateway([bridge, ...urls], (url) => send(url, requests))),
  );
  log(summary('with the bridge', after));
  return { before, after };
}

async function run(file, seconds) {
  const { before, after } = await measure(seconds, console.log);
  writeFileSync(file, plot({ before, after, seconds, sloMs: SLO_MS }));
}

async function withEngines(use) {
  const { EngineSimulator } = await import(path.join(root, 'dist/simulator.js'));
  const engines = [];
  for (const [i, speed] of SPEEDS.entries()) engines.push(await EngineSimulator.start({ seed: i, load: 1e-6, speed }));
  try {
    return await use(engines.map(({ url }) => url));
  } finally {
    for (const engine of engines) await engine.close();
  }
}

function withBridge(urls, use) {
  const listen = ['--listen', '127.0.0.1:0', '--probe-listen', '127.0.0.1:0', '--log-level', 'error'];
  const args = [path.join(root, 'dist/cli/main.js'), 'bridge', ...listen, ...urls.flatMap((url) => ['--engine', url])];
  const env = { ...process.env, DTESN_UNITS: '64', DTESN_BRIDGE_OUTLOOK_ADMISSION: 'active' };
  return withProcess(args, env, async (url) => {
    await pause(3000); // the engines are observed
    return use(url);
  });
}

function withGateway([bridge, ...urls], use) {
  return withProcess([path.join(root, 'examples/gateway.mjs'), bridge, '0', ...urls], process.env, use);
}

/** Runs a server that prints its address, and uses it. */
async function withProcess(args, env, use) {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  try {
    let printed = '';
    for await (const part of child.stdout.iterator({ destroyOnReturn: false })) {
      printed += part;
      if (/http:\S+\n/.test(printed)) break;
    }
    child.stdout.resume();
    return await use(/http:\S+/.exec(printed)[0]);
  } finally {
    child.kill('SIGKILL');
    await exit;
  }
}

async function send(url, requests) {
  const start = performance.now();
  return Promise.all(
    requests.map(async ({ at, promptTokens, maxTokens }) => {
      await pause(Math.max(0, (1000 * at) / PACE - (performance.now() - start)));
      const sentAt = performance.now();
      const response = await fetch(`${url}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-llm-d-slo-ttft-ms': String(SLO_MS / PACE) },
        body: JSON.stringify({
          prompt: new Array(promptTokens).fill(97),
          max_tokens: maxTokens,
          ignore_eos: true,
          stream: true,
        }),
        signal: AbortSignal.timeout(PATIENCE_MS / PACE),
      }).catch(() => null);
      const refused = response?.status === 429;
      let ttftMs = null;
      try {
        for await (const _ of response?.ok ? response.body : []) ttftMs ??= PACE * (performance.now() - sentAt);
      } catch {
        // The client left: what came before counts.
      }
      return { at, ttftMs, refused };
    }),
  );
}

function* arrivals(seconds, seed) {
  const random = mulberry32(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const lengths = (median, p99) =>
    Math.max(1, Math.round(median * Math.exp((Math.log(p99 / median) / 2.326) * normal())));
  for (let at = 0; ; ) {
    const rate = at % 25 < 20 ? CALM_RATE : 4 * CALM_RATE;
    at -= Math.log(1 - random()) / rate;
    if (at >= seconds) return;
    yield { at, promptTokens: Math.min(6000, lengths(1020, 4142)), maxTokens: Math.min(1000, lengths(129, 601)) };
  }
}

function mulberry32(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function summary(name, seen) {
  const served = seen.filter(({ ttftMs }) => ttftMs !== null).map(({ ttftMs }) => ttftMs);
  const sorted = served.toSorted((a, b) => a - b);
  const quantile = (q) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN);
  const within = served.filter((ms) => ms <= SLO_MS).length;
  const share = (count) => `${((100 * count) / seen.length).toFixed(1)} %`;
  const refused = seen.filter((one) => one.refused).length;
  return `${name}: ${seen.length} requests, ${share(within)} within ${SLO_MS} ms, ${share(refused)} refused; first token p50 ${quantile(0.5)} ms, p95 ${quantile(0.95)} ms`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '100' }, svg: { type: 'string' } } });
  await run(values.svg ?? path.join(root, 'docs/images/gateway.svg'), Number(values.seconds));
}
