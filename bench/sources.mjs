/**
 * The five sources of the embedded engine over loopback HTTP: cold (nothing cached, a new connection) and warm.
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

export async function run({ quick }) {
  const engine = await EmbeddedEngine.start();
  const row = (task, { best, median }) => ({ task, 'best ms': round(best / 1000), 'median ms': round(median / 1000) });
  try {
    const bare = await measure('bare', () => bareGets(engine.url), { quick });
    const cold = await measure('cold', () => coldFetch(engine), { quick });
    const fetcher = new SourceFetcher(engine);
    await fetchMultiSourceData(fetcher);
    const warm = await measure('warm', () => fetchMultiSourceData(fetcher), { quick });
    await fetcher.close();
    return [
      {
        ...row('fetchMultiSourceData, cold', cold),
        'limit ms': round(bare.best / 1000),
        share: round(bare.best / cold.best),
      },
      row('fetchMultiSourceData, warm', warm),
    ];
  } finally {
    await engine.close();
  }
}
