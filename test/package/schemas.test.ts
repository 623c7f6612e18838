/** The bundle builds its schemas when they are first used (scripts/build/lazy-schemas.mjs): they say what those of the sources say. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Bridge } from '../../src/bridge/index.js';
import {
  additionalSourceSchema,
  configSchema,
  dtesnResultSchema,
  multiSourceDataSchema,
  type Schema,
  transformOpSchema,
} from '../../src/index.js';
import { runningBridge } from '../bridge/running-bridge.js';

const root = path.resolve(import.meta.dirname, '../..');
const sources = { additionalSourceSchema, configSchema, dtesnResultSchema, multiSourceDataSchema, transformOpSchema };
const built = createRequire(import.meta.url)(path.join(root, 'dist/core/index.js')) as typeof sources;

test.each(Object.keys(sources) as (keyof typeof sources)[])('%s is the same JSON Schema', (name) => {
  const [ours, theirs]: Schema<unknown>[] = [sources[name], built[name]];
  expect(Object.keys(theirs!.toJSONSchema()).length).toBeGreaterThan(1);
  expect(theirs!.toJSONSchema()).toEqual(ours!.toJSONSchema());
});

test('a schema of the package is a Standard Schema, and its errors name the place', async () => {
  const { version, validate } = built.transformOpSchema['~standard'];
  expect(version).toBe(1);
  expect(await validate({ op: 'scale', factor: 1, offset: 0 })).toEqual({
    value: { op: 'scale', factor: 1, offset: 0 },
  });
  expect(await validate({ op: 'scale', factor: 'a', offset: 0 })).toMatchObject({ issues: [{ path: ['factor'] }] });
  const { error } = built.transformOpSchema.safeParse({ op: 'scale', factor: 'a', offset: 0 });
  expect(error!.issues).toMatchObject([{ path: ['factor'], code: 'invalid_type' }]);
});

test('the bridge describes the same endpoints', async () => {
  await using ours = await Bridge.start({
    listen: ['127.0.0.1:0'],
    probeListen: null,
    network: { units: 16 },
    logLevel: 'error',
  });
  await using theirs = await runningBridge({ env: { DTESN_UNITS: '16' } });
  const openapi = async (url: string) => (await (await fetch(`${url}/openapi.json`)).json()) as object;
  expect(await openapi(theirs.url)).toEqual(await openapi(ours.urls[0]!));
});
