/** Frames of sessions over a socket: they give what JSON gives, for one session and for many. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bridge } from '../../../src/bridge/index.js';

let bridge: Bridge;
let server: http.Server;
let url = '';
beforeAll(async () => {
  const network = { units: 16, depth: 2, inputs: 3 };
  bridge = await Bridge.start({ listen: [], probeListen: null, network, logLevel: 'error' });
  server = http.createServer(bridge.listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/sessions`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await bridge.close();
});

const rows = Array.from({ length: 5 }, (_, t) => [Math.fround(Math.sin(t)), Math.fround(t / 7), 0.5]);
const json = { 'content-type': 'application/json' };
const create = (id: string) =>
  fetch(url, { method: 'POST', headers: json, body: JSON.stringify({ id, outputs: [0, 3] }) });
const frames = {
  'content-type': 'application/octet-stream',
  accept: 'application/octet-stream',
  'x-dtesn-dtype': 'f32',
};

async function stepsInJson(id: string): Promise<number[][]> {
  await create(id);
  const answer = await fetch(`${url}/${id}/steps`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ from: 0, rows }),
  });
  return ((await answer.json()) as { outputs: number[][] }).outputs;
}

test('a frame of rows is answered with a frame of the outputs that JSON gives', async () => {
  const expected = await stepsInJson('json');
  await create('frame');
  const answer = await fetch(`${url}/frame/steps`, {
    method: 'POST',
    headers: { ...frames, 'x-dtesn-shape': '5,3', 'x-dtesn-from': '0' },
    body: Float32Array.from(rows.flat()),
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('x-dtesn-offset')).toBe('5');
  expect(answer.headers.get('x-dtesn-shape')).toBe('5,2');
  expect(answer.headers.get('x-dtesn-dtype')).toBe('f32');
  expect([...new Float32Array(await answer.arrayBuffer())]).toEqual(expected.flat());
});

test('JSON holds 2^20 numbers of outputs; for more a frame is asked for, and nothing is applied', async () => {
  await fetch(url, { method: 'POST', headers: json, body: JSON.stringify({ id: 'wide' }) });
  const body = JSON.stringify({ from: 0, rows: Array.from({ length: 2 ** 16 + 1 }, () => [0, 0, 0]) });
  const ask = (accept: string) => fetch(`${url}/wide/steps`, { method: 'POST', headers: { ...json, accept }, body });
  const refused = await ask('application/json');
  expect(refused.status).toBe(422);
  expect(await refused.json()).toMatchObject({ error: { code: 'impossible', rows: 2 ** 16 } });
  const framed = await ask('application/octet-stream');
  expect([framed.status, framed.headers.get('x-dtesn-shape')]).toEqual([200, `${2 ** 16 + 1},16`]);
});

function many(items: object[], count: number): { body: Buffer; headers: Record<string, string> } {
  const text = Buffer.from(JSON.stringify({ items }));
  const index = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  const values = Buffer.from(Float32Array.from(Array.from({ length: count }, () => rows.flat()).flat()).buffer);
  return {
    body: Buffer.concat([index, values]),
    headers: { ...frames, 'x-dtesn-index': String(index.length), 'x-dtesn-shape': `${5 * count},3` },
  };
}

test('one frame holds the rows of many sessions, and the answer an outcome each, in order', async () => {
  const expected = await stepsInJson('alone');
  await create('a');
  await create('b');
  const items = ['a', 'absent', 'b'].map((id) => ({ id, from: 0, rows: 5 }));
  const answer = await fetch(`${url}/steps`, { method: 'POST', ...many(items, 3) });
  expect(answer.status).toBe(200);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const index = Number(answer.headers.get('x-dtesn-index'));
  const outcome = JSON.parse(bytes.subarray(0, index).toString()).items;
  expect(outcome.map((one: { id: string }) => one.id)).toEqual(['a', 'absent', 'b']);
  expect(outcome[1].error.code).toBe('session_unknown');
  expect(outcome[2]).toMatchObject({ offset: 5, outputsFrom: 0, rows: 5, cols: 2 });
  expect(answer.headers.get('x-dtesn-dtype')).toBe('f32');
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset + index, bytes.byteOffset + bytes.length));
  expect([...values]).toEqual([...expected.flat(), ...expected.flat()]);
});

test('outputs of a learner are f64, and so are those of a frame that holds some of them', async () => {
  await create('states');
  const learns = { id: 'learner', targets: { outputs: 2 } };
  await fetch(url, { method: 'POST', headers: json, body: JSON.stringify(learns) });
  const alone = await fetch(`${url}/learner/steps`, {
    method: 'POST',
    headers: { ...frames, 'x-dtesn-shape': '5,3', 'x-dtesn-from': '0' },
    body: Float32Array.from(rows.flat()),
  });
  expect(alone.headers.get('x-dtesn-dtype')).toBe('f64');
  expect((await alone.arrayBuffer()).byteLength).toBe(5 * 2 * 8);
  const items = [
    { id: 'states', from: 0, rows: 5 },
    { id: 'learner', from: 5, rows: 5 },
  ];
  const answer = await fetch(`${url}/steps`, { method: 'POST', ...many(items, 2) });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const index = Number(answer.headers.get('x-dtesn-index'));
  expect(answer.headers.get('x-dtesn-dtype')).toBe('f64');
  const values = new Float64Array(bytes.buffer.slice(bytes.byteOffset + index, bytes.byteOffset + bytes.length));
  expect([...values]).toEqual([...(await stepsInJson('states-in-json')).flat(), ...new Float64Array(10)]);
});

test.each<[string, (given: ReturnType<typeof many>) => void]>([
  ['an index that is no multiple of 8', ({ headers }) => Object.assign(headers, { 'x-dtesn-index': '9' })],
  ['an index that is longer than the body', ({ headers }) => Object.assign(headers, { 'x-dtesn-index': '8000' })],
  [
    'fewer rows in the index than in the shape',
    (given) => Object.assign(given, many([{ id: 'a', from: 0, rows: 4 }], 1)),
  ],
  ['an index that is no JSON', ({ body }) => void body.write('x', 0)],
  ['an unknown field in the index', (given) => Object.assign(given, many([{ id: 'a', from: 0, rows: 5, x: 1 }], 1))],
])('%s is refused with 400', async (_, alter) => {
  const given = many([{ id: 'a', from: 5, rows: 5 }], 1);
  alter(given);
  const answer = await fetch(`${url}/steps`, { method: 'POST', ...given });
  expect(answer.status).toBe(400);
});
