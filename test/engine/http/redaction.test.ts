/** The API key in what a proxy echoes. */
import net, { type AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { Redaction } from '../../../src/engine/http/redaction.js';
import { HttpEngine } from '../../../src/engine/index.js';
import { type Answer, goodEngine, json, serveEngine, text } from '../../faults/engine-server.js';

const key = 'sk-Abc123/def+456';
const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function asked(answer: Answer): Promise<unknown> {
  const server = await serveEngine({ ...goodEngine, '/v1/models': answer });
  const engine = new HttpEngine(server.url, { kind: 'vllm', apiKey: key });
  open.push(server.close, () => engine.close());
  return engine.models().catch((error: unknown) => error);
}

const base64 = (value: string) => Buffer.from(value).toString('base64');
const echoes: [string, string][] = [
  ['with Bearer', `Bearer ${key}`],
  ['alone', key],
  ['percent-encoded', encodeURIComponent(key)],
  ...['', 'u', 'us', 'user'].map((user): [string, string] => [
    `in Basic of ${user}`,
    `Basic ${base64(`${user}:${key}`)}`,
  ]),
];
const secrets = [key, 'Abc123', ...echoes.map(([, echo]) => echo.replace(/^\w+ /, ''))];

describe.each(echoes)('a key that is echoed %s is in no error and no answer:', (_, echo) => {
  test.each<[string, Answer]>([
    ['an error body', json({ error: { message: `refused: Authorization: ${echo}` } }, 500)],
    ['a refused credential', json({ error: `bad credential ${echo}` }, 401)],
    ['a long error that is cut inside the key', json({ detail: `${'x '.repeat(95)}${echo} and more` }, 400)],
    ['a header', text('{', 200, `application/json; echo=${echo.replace(' ', '_')}`)],
    ['the encoding of the body', (response) => response.writeHead(200, { 'content-encoding': echo }).end('{}')],
    ['a body that is no JSON', text(echo)],
    ['a body of another shape', json({ data: [{ id: 7, [echo]: echo }] })],
    ['an answer that is used', json({ data: [{ id: `m of ${echo}`, root: echo }] })],
  ])('the key is not in %s', async (_where, answer) => {
    const shown = inspect(await asked(answer), { depth: 9 });
    for (const secret of secrets) expect(shown).not.toContain(secret);
  });
});

test('an echoed key in an answer that is not HTTP does not appear in the error', async () => {
  const server = net.createServer((socket) => socket.once('data', (bytes) => socket.end(bytes)));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  open.push(() => new Promise((closed) => server.close(closed)));
  const { port } = server.address() as AddressInfo;
  const engine = new HttpEngine(`http://127.0.0.1:${port}`, { kind: 'vllm', apiKey: key });
  open.push(() => engine.close());
  const error = await engine.models().catch((failure: unknown) => failure as Error & { cause: object });
  expect(error).toMatchObject({ code: 'ERR_DTESN_ENGINE_BODY', message: expect.stringMatching(/does not speak HTTP/) });
  expect(Object.keys((error as { cause: object }).cause)).toEqual(['code']);
});

test('a short key is redacted in messages and not in answers; without a key nothing is redacted', () => {
  const short = new Redaction('model');
  expect(short.text('Bearer model')).toBe('Bearer [redacted]');
  const body = Buffer.from('{"model":1}');
  expect(short.body(body)).toBe(body);
  expect(new Redaction(undefined).text('Bearer model')).toBe('Bearer model');
});

test('a body without the key is not copied', () => {
  const body = Buffer.from('vllm:x 1\n');
  expect(new Redaction(key).body(body)).toBe(body);
});
