/** The five sources of the embedded engine over loopback HTTP: cold (nothing cached) and warm. */
import { EmbeddedEngine, fetchMultiSourceData, SourceFetcher } from '../dist/index.js';
import { measure, round } from './measure.mjs';

export async function run({ quick }) {
  const engine = await EmbeddedEngine.start();
  const row = (task, { best, median }) => ({ task, 'best ms': round(best / 1000), 'median ms': round(median / 1000) });
  try {
    const cold = await measure(
      'cold',
      async () => {
        const fetcher = new SourceFetcher(engine);
        await fetchMultiSourceData(fetcher);
        await fetcher.close();
      },
      { quick },
    );
    const fetcher = new SourceFetcher(engine);
    await fetchMultiSourceData(fetcher);
    const warm = await measure('warm', () => fetchMultiSourceData(fetcher), { quick });
    await fetcher.close();
    return [row('fetchMultiSourceData, cold', cold), row('fetchMultiSourceData, warm', warm)];
  } finally {
    await engine.close();
  }
}
