/** Bodies with wrong elements in great numbers: 400 that names the first, and no half a second of work. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { checked } from '../../../src/bridge/http/index.js';
import {
  inputSchema,
  modelForecastSchema,
  modelRowsSchema,
  stepsAnswerSchema,
  stepsSchema,
} from '../../../src/bridge/messages/index.js';

const told = (schema: z.ZodType, value: unknown): { code?: string; message?: string } => {
  try {
    return { message: JSON.stringify(checked(schema, value, 'the body')) };
  } catch (error) {
    return error as { code: string; message: string };
  }
};

test('a schema that keeps an issue for each of 500,000 wrong elements answers malformed', () => {
  const { code, message } = told(z.array(z.number()), Array(500_000).fill(''));
  expect([code, message]).toEqual(['malformed', expect.stringContaining('the body')]);
});

test.each<[unknown, string]>([
  [{ from: 0, rows: Array(300_000).fill('') }, 'the body.rows.0: expected rows of finite numbers'],
  [{ from: 0, rows: [[1], [2, ...Array(300_000).fill('')]] }, 'the body.rows.1.1: expected rows of finite numbers'],
  [{ from: 0, rows: [[1, Number.POSITIVE_INFINITY]] }, 'the body.rows.0.1: expected rows of finite numbers'],
  [{ from: 0, rows: 7 }, 'the body.rows: expected rows of finite numbers'],
  [{ from: 0 }, 'the body.rows: expected rows of finite numbers'],
  [{ from: 0, rows: [[1]], targets: [[null]] }, 'the body.targets.0.0: expected rows of finite numbers'],
])('steps stop at the first wrong element', (value, wanted) => {
  const { code, message } = told(stepsSchema, value);
  expect([code, message]).toEqual(['malformed', wanted]);
});

const ofTokens = 'the body.tokens';
const ofSeries = 'the body.series';
test.each<[unknown, string]>([
  [{ tokens: [1, ...Array(300_000).fill('')] }, `${ofTokens}.1: expected whole numbers of at least 0`],
  [{ tokens: [1, -1] }, `${ofTokens}.1: expected whole numbers of at least 0`],
  [{ tokens: [0.5] }, `${ofTokens}.0: expected whole numbers of at least 0`],
  [{ tokens: [2 ** 53] }, `${ofTokens}.0: expected whole numbers of at least 0`],
  [{ tokens: { length: 1 } }, `${ofTokens}: expected whole numbers of at least 0`],
  [{ tokens: null }, `${ofTokens}: expected whole numbers of at least 0`],
  [{ series: Array(300_000).fill('') }, `${ofSeries}.0: expected finite numbers or rows of finite numbers`],
  [{ series: [1, [1, null]] }, `${ofSeries}.1.1: expected finite numbers or rows of finite numbers`],
  [{ series: [Number.POSITIVE_INFINITY] }, `${ofSeries}.0: expected finite numbers or rows of finite numbers`],
  [{ series: 'abc' }, `${ofSeries}: expected finite numbers or rows of finite numbers`],
])('an input stops at the first wrong element', (value, wanted) => {
  const { code, message } = told(inputSchema, value);
  expect([code, message]).toEqual(['malformed', wanted]);
});

test('an input takes token ids, numbers and rows of numbers, and the OpenAPI document says so', () => {
  for (const input of [{ tokens: [] }, { tokens: [0, 7] }, { series: [1, -2.5] }, { series: [[1], [2]] }])
    expect(inputSchema.parse(input)).toEqual(input);
  const { properties, required } = z.toJSONSchema(inputSchema, { io: 'input' });
  expect(required).toBeUndefined();
  expect(properties).toMatchObject({
    tokens: { type: 'array', items: { type: 'integer', minimum: 0 }, description: 'token ids' },
    series: { items: { anyOf: [{ type: 'number' }, { type: 'array', items: { type: 'number' } }] } },
  });
});

test('rows keep their bounds, also in the OpenAPI document', () => {
  expect(told(modelForecastSchema, { rows: [], steps: 1 })).toMatchObject({
    code: 'malformed',
    message: expect.stringContaining('at least 1'),
  });
  const many = { rows: Array(65_537).fill([1]), steps: 1 };
  expect(told(modelForecastSchema, many)).toMatchObject({
    code: 'malformed',
    message: expect.stringContaining('at most 65536'),
  });
  const { properties, required } = z.toJSONSchema(modelForecastSchema, { io: 'input' });
  expect(required).toEqual(['rows', 'steps']);
  expect(properties!['rows']).toMatchObject({
    ...{ type: 'array', minItems: 1, maxItems: 65_536, description: expect.stringContaining('from rest') },
    items: { type: 'array', items: { type: 'number' } },
  });
  expect(z.toJSONSchema(stepsSchema, { io: 'input' }).required).toEqual(['from', 'rows']);
});

test('outputs of a session may be null, those of a run may not', () => {
  const answer = { offset: 1, durable: 0, outputsFrom: 0, outputs: [[null]] };
  expect(stepsAnswerSchema.safeParse(answer).success).toBe(true);
  expect(modelRowsSchema.safeParse({ outputs: [[null]] }).success).toBe(false);
});
