/** W3C trace context from a client through the running command to the engine's tokenizer and the log. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BridgeClient } from '../../../src/bridge/client/index.js';
import { type Answer, json, serveEngine } from '../../faults/engine-server.js';
import { vllmAnswers } from '../engines/engine-under-test.js';
import { type RunningBridge, runningBridge } from '../running-bridge.js';

const traceOf = (n: number) => `00-${String(n).padStart(32, '1')}-b7ad6b7169203331-01`;

/** The header of each question of a text; the probes of the source are not among them. */
const traces = new Map<string, string | undefined>();
let engine: Awaited<ReturnType<typeof serveEngine>>;
let bridge: RunningBridge;
beforeAll(async () => {
  const tokenize: Answer = (response, body, request) => {
    traces.set((JSON.parse(body) as { prompt: string }).prompt, request.headers['traceparent'] as string | undefined);
    json({ count: 3, max_model_len: 4096, tokens: [1, 2, 3] })(response, body, request);
  };
  engine = await serveEngine({ ...vllmAnswers().answers, '/tokenize': tokenize });
  bridge = await runningBridge({ args: ['--engine', engine.url] });
}, 60_000);
afterAll(async () => {
  await bridge?.[Symbol.asyncDispose]();
  await engine?.close();
});

test('the trace of each request goes to the tokenizer with its text, also where they run as one batch', async () => {
  await using client = new BridgeClient(bridge.url);
  const texts = ['one', 'two', 'three', 'four'];
  await Promise.all(texts.map((text, i) => client.process({ text }, { traceparent: traceOf(i) })));
  await client.process({ text: 'without' });
  expect(texts.map((text) => traces.get(text))).toEqual(texts.map((_, i) => traceOf(i)));
  expect([traces.has('without'), traces.get('without')]).toEqual([true, undefined]);
});

test('the trace of a batch and of a stream goes with all their texts', async () => {
  await using client = new BridgeClient(bridge.url);
  await client.processBatch([{ text: 'five' }, { text: 'six' }], { traceparent: traceOf(5) });
  expect([traces.get('five'), traces.get('six')]).toEqual([traceOf(5), traceOf(5)]);
  for await (const _ of client.processStream({ text: 'seven!eight!' }, { chunk: 6, traceparent: traceOf(7) }));
  expect([traces.get('seven!'), traces.get('eight!')]).toEqual([traceOf(7), traceOf(7)]);
});

test('a malformed trace is not handed on', async () => {
  await fetch(`${bridge.url}/v1/process`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: 'ff-1-2-3' },
    body: JSON.stringify({ text: 'malformed' }),
  });
  expect([traces.has('malformed'), traces.get('malformed')]).toEqual([true, undefined]);
});

test('what is asked beside a request has its trace', async () => {
  const seen: (string | undefined)[] = [];
  const answer: Answer = (response, body, request) => {
    seen.push(request.headers['traceparent'] as string | undefined);
    json({ engine: 'a', url: 'http://a', reason: 'x', ticket: 't', known: true })(response, body, request);
  };
  const paths = ['/v1/pick', '/v1/dispatch', '/v1/first-token', '/v1/finish'];
  const server = await serveEngine(Object.fromEntries(paths.map((path) => [path, answer])));
  await using client = new BridgeClient(server.url, { budgetMs: 10_000 });
  const traced = { traceparent: traceOf(9) };
  await client.pick({}, traced);
  await client.dispatch({ engine: 'a' }, traced);
  await client.firstToken('t', traced);
  await client.finish('t', { outcome: 'ok' }, traced);
  expect(seen).toEqual(Array(4).fill(traceOf(9)));
  await server.close();
});
