/**
 * The whole way of 1,000 tokens through 1,024 units at depth 4, sources warm; and the stages of one such run.
 *
 * The limit is the time to read the weights of that tree once a token, at the read bandwidth of its working set.
 */
import { DeepTreeModel, DtesnProcessor } from '../dist/index.js';
import { measure, round, withBandwidth } from './measure.mjs';

const TOKENS = 1000;

export async function run({ quick }) {
  const processor = await DtesnProcessor.create({ config: { depth: 4, units: 1024 } });
  const input = { tokens: Array.from({ length: TOKENS }, (_, i) => (i * 31) % 256) };
  const text = 'a'.repeat(TOKENS - 1);
  const { bytes } = new DeepTreeModel({ depth: 4, units: 1024, inputs: 1 });
  const row = async (task, given) => {
    const { figures, limit } = await withBandwidth(bytes, () =>
      measure(task, () => processor.process(given), { quick }),
    );
    const limitMs = (bytes * TOKENS) / limit / 1e6;
    const best = figures.best / 1000;
    return {
      task,
      'best ms': round(best),
      'median ms': round(figures.median / 1000),
      'limit ms': round(limitMs),
      share: round(limitMs / best),
    };
  };
  try {
    await processor.process(text);
    const rows = [await row('1,000 token ids', input), await row('text of 1,000 tokens', text)];
    const { stages } = await processor.process(input);
    return [...rows, ...stages.map(({ name, ms }) => ({ task: `  ${name}, once`, 'median ms': round(ms) }))];
  } finally {
    await processor.close();
  }
}
