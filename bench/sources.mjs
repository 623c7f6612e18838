/**
 * The five sources of the embedded engine over loopback HTTP: cold (nothing cached, a new connection), warm, and warm for
 * a thousand callers in one turn of the event loop, each timed from its call to its answer.
 *
 * With additional sources: the five and three that a host declares, the slowest of them 60 ms; the same with one that
 * hangs and has 40 ms; and how often each was asked while a thousand callers came again and again.
 *
 * The limit of a cold fetch is that of its transport: the same engine's /v1/models, /version, /health, /metrics and /load
 * asked at once with bare node:http over new connections, bodies read and dropped.
 */
import { Agent, get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { EmbeddedEngine, fetchMultiSourceData, SourceFetcher } from '../dist/index.js';
import { measure, round } from './measure.mjs';

const PATHS = ['/v1/models', '/version', '/health', '/metrics', '/load'];

function bareGet(url, agent) {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (response) => {
      response.resume();
      response.on('end', resolve);
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

async function bareGets(root) {
  const agent = new Agent({ keepAlive: true });
  await Promise.all(PATHS.map((path) => bareGet(root + path, agent)));
  agent.destroy();
}

async function coldFetch(engine) {
  const fetcher = new SourceFetcher(engine);
  await fetchMultiSourceData(fetcher);
  await fetcher.close();
}

const CALLERS = 1000;

/** Best, median and 99th percentile over the callers of the batch whose 99th percentile is the median one, microseconds. */
async function together(fetch, batches) {
  const runs = [];
  for (let i = 0; i < batches; i++) {
    const times = [];
    const call = async () => {
      const start = performance.now();
      await fetch();
      times.push((performance.now() - start) * 1000);
    };
    await Promise.all(Array.from({ length: CALLERS }, call));
    times.sort((a, b) => a - b);
    runs.push({ best: times[0], median: times[CALLERS / 2], p99: times[CALLERS * 0.99] });
    await pause(5);
  }
  runs.sort((a, b) => a.p99 - b.p99);
  return runs[batches >> 1];
}

const slowestMs = 60;
const freshMs = 500;

function declared() {
  const asked = { queue: 0, gpus: 0, license: 0 };
  const source = (name, ms) => ({
    name,
    freshMs,
    fetch: async (signal) => {
      asked[name] += 1;
      await pause(ms, null, { signal });
      return { n: 1 };
    },
  });
  return { asked, sources: [source('queue', slowestMs), source('gpus', 20), source('license', 1)] };
}

const hung = { name: 'hung', fetch: () => new Promise(() => {}), timeoutMs: 40 };

async function coldWith(engine, sources) {
  const fetcher = new SourceFetcher(engine, { sources });
  await fetcher.fetch();
  await fetcher.close();
}

/** The thousand callers again and again, and how often the source that was asked most was asked in each fresh interval. */
async function crowd(fetcher, asked, batches) {
  await fetcher.fetch();
  const before = { ...asked };
  const start = performance.now();
  const times = await together(() => fetcher.fetch(), batches);
  const intervals = (performance.now() - start) / freshMs;
  const questions = Object.keys(asked).map((name) => (asked[name] - before[name]) / intervals);
  return { ...times, questions: Math.max(...questions) };
}

async function additionalRows(engine, row, quick) {
  const cold = await measure('cold', () => coldWith(engine, declared().sources), { quick });
  const withHung = await measure('hung', () => coldWith(engine, [hung]), { quick });
  const { asked, sources } = declared();
  const fetcher = new SourceFetcher(engine, { sources });
  const many = await crowd(fetcher, asked, quick ? 100 : 600);
  await fetcher.close();
  return [
    row(`fetch, five and three more, cold, slowest ${slowestMs} ms`, cold),
    row(`fetch, five and one that hangs for its ${hung.timeoutMs} ms, cold`, withHung),
    {
      ...row(`fetch, five and three more, ${CALLERS} callers again and again`, many),
      'questions a fresh interval': round(many.questions),
    },
  ];
}

export async function run({ quick }) {
  const engine = await EmbeddedEngine.start();
  const row = (task, { best, median, p99 }) => ({
    task,
    'best ms': round(best / 1000),
    'median ms': round(median / 1000),
    'p99 ms': round(p99 / 1000),
  });
  try {
    const bare = await measure('bare', () => bareGets(engine.url), { quick });
    const cold = await measure('cold', () => coldFetch(engine), { quick });
    const fetcher = new SourceFetcher(engine);
    await fetchMultiSourceData(fetcher);
    const warm = await measure('warm', () => fetchMultiSourceData(fetcher), { quick });
    const many = await together(() => fetchMultiSourceData(fetcher), quick ? 20 : 200);
    await fetcher.close();
    return [
      {
        ...row('fetchMultiSourceData, cold', cold),
        'limit ms': round(bare.best / 1000),
        share: round(bare.best / cold.best),
      },
      row('fetchMultiSourceData, warm', warm),
      row(`fetchMultiSourceData, warm, ${CALLERS} callers at once`, many),
      ...(await additionalRows(engine, row, quick)),
    ];
  } finally {
    await engine.close();
  }
}
