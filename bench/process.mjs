/** The whole way of 1,000 tokens through 1,024 units at depth 4, sources warm; and the stages of one such run. */
import { DtesnProcessor } from '../dist/index.js';
import { measure, round } from './measure.mjs';

export async function run({ quick }) {
  const processor = await DtesnProcessor.create({ config: { max_membrane_depth: 4, esn_reservoir_size: 1024 } });
  const input = { tokens: Array.from({ length: 1000 }, (_, i) => (i * 31) % 256) };
  const text = 'a'.repeat(999);
  try {
    await processor.process(text);
    const tokens = await measure('tokens', () => processor.process(input), { quick });
    const texts = await measure('text', () => processor.process(text), { quick });
    const { stages } = await processor.process(input);
    const row = (task, { best, median }) => ({
      task,
      'best ms': round(best / 1000),
      'median ms': round(median / 1000),
    });
    return [
      row('process, 1,000 token ids', tokens),
      row('process, text of 1,000 tokens', texts),
      ...stages.map(({ name, ms }) => ({ task: `  ${name}, once`, 'median ms': round(ms) })),
    ];
  } finally {
    await processor.close();
  }
}
