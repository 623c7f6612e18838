/** Results as JSON: the same fields as JSON.stringify gives, whoever shares the context. */
import { expect, test } from 'vitest';
import { bytesWithFeatures } from '../../../src/bridge/routes/features-text.js';

const features = { endState: [0.1, null, -2], meanState: [0.3, null, 1e-9], differentials: [1 / 3] };
const asF32 = (values: (number | null)[]) => values.map((value) => (value === null ? null : Math.fround(value)));
const read = { ...features, endState: asF32(features.endState), meanState: asF32(features.meanState) };

function parsed(message: Parameters<typeof bytesWithFeatures>[0]) {
  const { features: states, ...rest } = JSON.parse(bytesWithFeatures(message).toString());
  const { endState, meanState, ...others } = states;
  return { ...rest, features: { ...others, endState: asF32(endState), meanState: asF32(meanState) } };
}

test('a message keeps all of its fields, with or without a context', () => {
  const context = { sources: { name: 'a "quoted" \u2028 name' }, list: [] };
  const first = { ok: true, context, steps: 3, features };
  expect(parsed(first)).toEqual({ ...first, features: read });
  expect(parsed({ ...first, steps: 4 } as typeof first)).toEqual({ ...first, steps: 4, features: read });
  expect(parsed({ ok: true, features } as typeof first)).toEqual({ ok: true, features: read });
  expect(parsed({ features } as typeof first)).toEqual({ features: read });
  const { endState, meanState } = features;
  expect(parsed({ ok: true, features: { endState, meanState } } as typeof first).features).toEqual({
    endState: read.endState,
    meanState: read.meanState,
  });
  const long = { ...first, note: '€'.repeat(50_000), features: { ...features, endState: Array(5000).fill(-1 / 3e-6) } };
  expect(parsed(long)).toMatchObject({ note: long.note, features: { endState: asF32(long.features.endState) } });
  expect(parsed({ ok: true, context: {}, features } as unknown as typeof first).context).toEqual({});
});
