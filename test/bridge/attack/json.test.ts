/** Bodies that are no JSON, JSON that no parser should trust, and every field of every request given a value of another type. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { orcaLoad } from '../../../src/bridge/engines/orca.js';
import { type RunningBridge, runningBridge } from '../running-bridge.js';
import { residentMiB } from './raw-client.js';

const admin = 'a'.repeat(40);
const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-json-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let bridge: RunningBridge;
beforeAll(async () => {
  const file = path.join(folder, 'admin');
  writeFileSync(file, admin, { mode: 0o600 });
  bridge = await runningBridge({ args: ['--admin-token-file', file] });
}, 60_000);
afterAll(() => bridge[Symbol.asyncDispose]());

async function post(target: string, body: string | Uint8Array): Promise<{ status: number; code: string | undefined }> {
  const signal = AbortSignal.timeout(25_000);
  // A change of the configuration that is valid would change what the other cases meet: it is checked, and not made.
  const rights = target === '/v1/config/validate' ? { authorization: `Bearer ${admin}` } : {};
  const headers = { 'content-type': 'application/json', 'x-dtesn-budget-ms': '15000', ...rights };
  const answer = await fetch(`${bridge.url}${target}`, { method: 'POST', body, headers, signal });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.startsWith('application/json');
  return { status: answer.status, code: isJson ? JSON.parse(text).error?.code : undefined };
}

describe('JSON', () => {
  const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);
  test.each<[string, string, string | Uint8Array, number]>([
    ['nothing', '/v1/process', '', 400],
    ['a space', '/v1/process', ' ', 400],
    ['a NUL', '/v1/process', '\0', 400],
    ['a byte order mark alone', '/v1/process', '\ufeff', 400],
    ['null', '/v1/process', 'null', 400],
    ['an array', '/v1/process', '[]', 400],
    ['a string', '/v1/process', '"text"', 400],
    ['two objects', '/v1/process', '{"text":"a"}{"text":"b"}', 400],
    ['a comment', '/v1/process', '{"text":"a"/**/}', 400],
    ['a comma at the end', '/v1/process', '{"text":"a",}', 400],
    ['NaN', '/v1/process', '{"series":[NaN]}', 400],
    ['Infinity', '/v1/process', '{"series":[Infinity]}', 400],
    ['a number beyond doubles', '/v1/process', '{"series":[1e999]}', 400],
    ['a negative number beyond doubles', '/v1/process', '{"series":[-1e999]}', 400],
    ['a token id beyond doubles', '/v1/process', '{"tokens":[1e999]}', 400],
    ['a token id with a fraction', '/v1/process', '{"tokens":[0.5]}', 400],
    ['a token id below 0', '/v1/process', '{"tokens":[-1]}', 400],
    ['100,000 arrays in each other', '/v1/process', nested('[', ']', 100_000), 400],
    ['100,000 arrays as a series', '/v1/process', `{"series":${nested('[', ']', 100_000)}}`, 400],
    ['100,000 objects in each other', '/v1/process', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, 400],
    ['100,000 open arrays', '/v1/process', '['.repeat(100_000), 400],
    ['UTF-8 that is none', '/v1/process', Uint8Array.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 400],
    ['an overlong slash', '/v1/process', Uint8Array.from([0x22, 0xc0, 0xaf, 0x22]), 400],
    ['UTF-16', '/v1/process', Buffer.from('{"text":"a"}', 'utf16le'), 400],
    ['__proto__ as a field', '/v1/process', '{"text":"a","__proto__":{"x":1}}', 400],
    ['constructor as a field', '/v1/process', '{"text":"a","constructor":{"prototype":{"x":1}}}', 400],
    ['a field inside an input of a batch', '/v1/process/batch', '{"inputs":[{"text":"a","txet":"b"}]}', 400],
    ['101 inputs', '/v1/process/batch', JSON.stringify({ inputs: Array(101).fill({ text: 'a' }) }), 400],
    [
      '1,001 items',
      '/v1/sessions/steps',
      JSON.stringify({ items: Array(1001).fill({ id: 'a', from: 0, rows: [] }) }),
      400,
    ],
    ['an offset of 2^53', '/v1/sessions/x/steps', '{"from":9007199254740992,"rows":[[1]]}', 400],
    ['an id with a NUL', '/v1/sessions', '{"id":"a\\u0000b"}', 400],
    ['an id of 129 characters', '/v1/sessions', `{"id":"${'a'.repeat(129)}"}`, 400],
    ['an id with a slash', '/v1/sessions', '{"id":"../etc"}', 400],
    ['a network that is not', '/v1/sessions', '{"network":"__proto__"}', 422],
    ['an engine that is not', '/v1/dispatch', '{"engine":"constructor"}', 404],
    ['a network of targets without an end', '/v1/sessions', '{"targets":{"outputs":1,"ridge":1e-400}}', 400],
  ])('%s is refused', async (_, path, body, wanted) => {
    const { status, code } = await post(path, body);
    expect(status).toBe(wanted);
    expect(code).toMatch(/^\w+$/);
  });

  test.each<[string, string]>([
    ['lone surrogates', '{"text":"\\ud800 \\udfff\\ud800"}'],
    ['NUL and control characters', '{"text":"\\u0000\\u0001\\u001b[31m\\u007f"}'],
    ['a field twice, of which the last counts', '{"text":1,"text":"a"}'],
    ['an empty text', '{"text":""}'],
    ['numbers at the edges of doubles', '{"series":[1.7976931348623157e308,5e-324,-0,0.1]}'],
    ['a token id of 2^53 - 1', '{"tokens":[9007199254740991]}'],
    ['rows of different widths', '{"series":[[1],[1,2]]}'],
    ['numbers among rows', '{"series":[1,[1]]}'],
    ['empty rows', '{"series":[[],[]]}'],
    ['an empty series', '{"series":[]}'],
    ['a row of 100,000 numbers', `{"series":[[${Array(100_000).fill(1).join()}]]}`],
  ])('%s is answered or refused, never a failure of the bridge', async (_, body) => {
    for (const path of ['/v1/process', '/v1/process/stream']) {
      expect([200, 400, 413, 422]).toContain((await post(path, body)).status);
    }
  });

  test('__proto__ in what a caller hands over changes no other object', async () => {
    const orca = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
    const polluted = () => ({}) as { polluted?: unknown };
    for (const said of [JSON.parse(orca), orca, `JSON ${orca}`, 'TEXT __proto__=1, __proto__.polluted=1']) {
      expect(orcaLoad(said)).toBeNull();
      expect(polluted().polluted).toBeUndefined();
    }
    expect((await post('/v1/finish', `{"ticket":"t","outcome":"ok","orca":${orca}}`)).status).toBe(200);
    const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    expect((await post('/v1/finish', `{"ticket":"t","outcome":"ok","orca":${deep}}`)).status).toBeLessThan(500);
    const status = await fetch(`${bridge.url}/v1/status`);
    expect(status.status).toBe(200);
    expect(await status.text()).not.toContain('polluted');
  });

  test('forty bodies of a megabyte of brackets leave the memory where it was', { timeout: 90_000 }, async () => {
    const body = '['.repeat(2 ** 20);
    await post('/v1/process', body);
    const before = residentMiB(bridge.process.pid!);
    for (let i = 0; i < 4; i++) await Promise.all(Array.from({ length: 10 }, () => post('/v1/process', body)));
    expect(residentMiB(bridge.process.pid!) - before).toBeLessThan(150);
  });
});

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  required?: string[];
  enum?: unknown[];
  additionalProperties?: unknown;
}
interface Operation {
  parameters: { name: string; in: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}

const odd: [string, string][] = [
  ['null', 'null'],
  ['an empty string', '""'],
  ['a string', '"x y\\u0000/../"'],
  ['a number', '1.5'],
  ['a negative number', '-1'],
  ['a huge number', '1e308'],
  ['an infinite number', '1e999'],
  ['2^53', '9007199254740992'],
  ['a number as a string', '"1"'],
  ['NaN as a string', '"NaN"'],
  ['true', 'true'],
  ['an empty array', '[]'],
  ['an array of null', '[null]'],
  ['arrays in each other', '[[[[1]]]]'],
  ['an empty object', '{}'],
  ['an object', '{"a":{"__proto__":1}}'],
  ['a long string', `"${'x'.repeat(100_000)}"`],
];

/** A body of the schema, each field with a value that fits it, as far as the schema tells. */
function sample(schema: Schema): unknown {
  const one = schema.anyOf?.[0] ?? schema;
  if (one.enum) return one.enum[0];
  if (one.type === 'object') {
    return Object.fromEntries((one.required ?? []).map((name) => [name, sample(one.properties![name]!)]));
  }
  if (one.type === 'array') return [sample(one.items ?? {})];
  return { string: 'x', integer: 1, number: 1, boolean: true }[one.type ?? 'string'];
}

/** The schema's bodies in which one field, at any depth, has another value; as JSON texts. */
function* mutations(schema: Schema, wrap: (text: string) => string, path: string): Iterable<[string, string]> {
  for (const [what, value] of odd) yield [`${path}: ${what}`, wrap(value)];
  const one = schema.anyOf?.find(({ type }) => type === 'object' || type === 'array') ?? schema;
  if (one.type === 'array' && one.items) yield* mutations(one.items, (text) => wrap(`[${text}]`), `${path}[]`);
  if (one.type !== 'object') return;
  const base = sample(one) as Record<string, unknown>;
  if (one.additionalProperties === false) {
    yield [`${path}: an unknown field`, wrap(JSON.stringify({ ...base, unknownField: 1 }))];
  }
  for (const [name, property] of Object.entries(one.properties ?? {})) {
    const around = (text: string) => {
      const others = Object.entries(base).filter(([other]) => other !== name);
      const fields = others.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
      return wrap(`{${[...fields, `${JSON.stringify(name)}:${text}`].join()}}`);
    };
    yield* mutations(property, around, `${path}.${name}`);
    const without = Object.fromEntries(Object.entries(base).filter(([other]) => other !== name));
    yield [`${path} without ${name}`, wrap(JSON.stringify(without))];
  }
}

describe('every field of the document', () => {
  let paths: [string, string, Operation][] = [];
  beforeAll(async () => {
    const document = (await (await fetch(`${bridge.url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, Operation>>;
    };
    paths = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, one]): [string, string, Operation] => [path, method, one]),
    );
  });

  test('is refused or taken with each odd value, and none makes the bridge fail or wait', {
    timeout: 300_000,
  }, async () => {
    const bad: string[] = [];
    let count = 0;
    for (const [template, , { requestBody }] of paths) {
      const schema = requestBody?.content['application/json']?.schema;
      if (schema === undefined) continue;
      const at = template.replace(/\{\w+\}/g, 'none');
      const all = [...mutations(schema, (text) => text, 'body')];
      for (let i = 0; i < all.length; i += 8) {
        await Promise.all(
          all.slice(i, i + 8).map(async ([what, body]) => {
            count++;
            const { status, code } = await post(at, body).catch((error) => ({ status: 0, code: String(error) }));
            if (status === 403 && ['/v1/config', '/v1/config/rollback'].includes(template)) return;
            const isUnknown = what.endsWith('unknown field');
            const isRight = isUnknown ? status === 400 : [200, 201, 400, 401, 404, 409, 410, 413, 422].includes(status);
            if (!isRight) bad.push(`${template} ${what}: ${status} ${code}`);
          }),
        );
      }
    }
    expect(bad).toEqual([]);
    expect(count).toBeGreaterThan(500);
  });

  test('of a query is refused or taken with each odd value', { timeout: 120_000 }, async () => {
    const bad: string[] = [];
    let count = 0;
    const values = [
      '',
      'x',
      '-1',
      '1e999',
      'NaN',
      '9007199254740993',
      '%00',
      '%ff',
      '[]',
      'null',
      '%3Cscript%3E',
      'a'.repeat(8000),
    ];
    for (const [path, method, { parameters }] of paths) {
      for (const { name } of parameters.filter((one) => one.in === 'query')) {
        count++;
        for (const value of values) {
          const answer = await fetch(`${bridge.url}${path.replace(/\{\w+\}/g, 'none')}?${name}=${value}`, {
            method: method.toUpperCase(),
            ...(method === 'post' && { body: '{}', headers: { 'content-type': 'application/json' } }),
            signal: AbortSignal.timeout(10_000),
          });
          if (answer.status >= 500) bad.push(`${method} ${path}?${name}=${value.slice(0, 20)}: ${answer.status}`);
          await answer.body?.cancel();
        }
        const unknown = await fetch(`${bridge.url}${path.replace(/\{\w+\}/g, 'none')}?unknown_field=1`, {
          method: method.toUpperCase(),
          ...(method === 'post' && { body: '{}', headers: { 'content-type': 'application/json' } }),
        });
        if (unknown.status !== 400) bad.push(`${method} ${path} takes an unknown parameter: ${unknown.status}`);
        await unknown.body?.cancel();
      }
    }
    expect(bad).toEqual([]);
    expect(count).toBeGreaterThan(0);
  });

  test('of a path is refused with each odd value', async () => {
    const bad: string[] = [];
    for (const [path, method] of paths.filter(([one]) => one.includes('{'))) {
      for (const value of [
        '%00',
        '%2f',
        '%2e%2e',
        '..%2f..%2fetc',
        '%ff',
        '%',
        ' ',
        'a'.repeat(9000),
        '__proto__',
        '%F0%9F%92%A9',
      ]) {
        const answer = await fetch(`${bridge.url}${path.replace(/\{\w+\}/g, value)}`, {
          method: method.toUpperCase(),
          ...(method === 'post' && { body: '{"from":0,"rows":[]}', headers: { 'content-type': 'application/json' } }),
        });
        if (![400, 404, 405].includes(answer.status))
          bad.push(`${method} ${path} ${value.slice(0, 20)}: ${answer.status}`);
        await answer.body?.cancel();
      }
    }
    expect(bad).toEqual([]);
  });

  test('after all of it nothing was logged as a failure', () => {
    expect(bridge.process.exitCode).toBeNull();
    expect(bridge.log()).not.toMatch(/"level":"error"/);
  });
});
