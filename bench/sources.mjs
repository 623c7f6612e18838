/**
 * The five sources of the embedded engine over loopback HTTP: cold (nothing cached, a new connection), warm, and warm for
 * a thousand callers in one turn of the event loop, each timed from its call to its answer.
 *
 * The limit of a cold fetch is that of its transport: the same engine's /v1/models, /version, /health, /metrics and /load
 * asked at once with bare node:http over new connections, bodies read and dropped.
 */
import { Agent, get } from 'node:http';
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
async function together(fetcher, batches) {
  const runs = [];
  for (let i = 0; i < batches; i++) {
    const times = [];
    const call = async () => {
      const start = performance.now();
      await fetchMultiSourceData(fetcher);
      times.push((performance.now() - start) * 1000);
    };
    await Promise.all(Array.from({ length: CALLERS }, call));
    times.sort((a, b) => a - b);
    runs.push({ best: times[0], median: times[CALLERS / 2], p99: times[CALLERS * 0.99] });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  runs.sort((a, b) => a.p99 - b.p99);
  return runs[batches >> 1];
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
    const many = await together(fetcher, quick ? 20 : 200);
    await fetcher.close();
    return [
      {
        ...row('fetchMultiSourceData, cold', cold),
        'limit ms': round(bare.best / 1000),
        share: round(bare.best / cold.best),
      },
      row('fetchMultiSourceData, warm', warm),
      row(`fetchMultiSourceData, warm, ${CALLERS} callers at once`, many),
    ];
  } finally {
    await engine.close();
  }
}
