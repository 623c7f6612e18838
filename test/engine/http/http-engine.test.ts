// Other kinds of engine, over real sockets, as their documentation says they answer.
import { mkdtemp, rm } from 'node:fs/promises';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { HttpEngine, type HttpEngineOptions } from '../../../src/engine/index.js';
import { fetchModelDataSource, fetchTokenizerDataSource } from '../../../src/sources/index.js';
import { type Answer, goodEngine, json, modelCard, serveEngine, silent, text } from '../../faults/engine-server.js';
import { selfSigned } from '../../faults/self-signed.js';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function start(answers: Record<string, Answer>, options: HttpEngineOptions = {}) {
  const server = await serveEngine(answers);
  const engine = new HttpEngine(server.url, options);
  open.push(server.close, () => engine.close());
  return { server, engine };
}

const bytes: Answer = (response, body, request) => {
  const { prompt, content, inputs } = JSON.parse(body);
  const ids = [...Buffer.from(prompt ?? content ?? inputs)];
  const answer = inputs ? ids.map((id) => ({ id, text: 'x', start: 0, stop: 1 })) : { tokens: ids, count: ids.length };
  json(answer)(response, body, request);
};
const backAs =
  (field: string): Answer =>
  (response, body, request) =>
    json({ [field]: Buffer.from(JSON.parse(body).tokens).toString() })(response, body, request);
const card = (owned_by: string, more: object = {}) => json({ data: [{ id: 'm', owned_by, ...more }] });

const sglang: Record<string, Answer> = {
  '/v1/models': card('sglang', { root: '/m', max_model_len: 4096 }),
  '/get_server_info': json({ version: '0.4.6', api_key: 'never shown' }),
  '/health': text(''),
  '/metrics': text('sglang:num_running_reqs{model_name="m"} 1\n'),
  '/tokenize': bytes,
  '/detokenize': backAs('text'),
};
const llamaCpp: Record<string, Answer> = {
  '/v1/models': card('llamacpp', { meta: { n_vocab: 32000, n_ctx_train: 131072, n_embd: 4096 } }),
  '/props': json({ default_generation_settings: { n_ctx: 8192 }, model_path: '/m.gguf', build_info: 'b5000-abc' }),
  '/health': json({ status: 'ok' }),
  '/metrics': text('llamacpp:requests_processing 1\n'),
  '/tokenize': bytes,
  '/detokenize': backAs('content'),
};
const tgi: Record<string, Answer> = {
  '/info': json({ model_id: 'org/m', model_dtype: 'torch.float16', max_total_tokens: 2048, version: '3.0.0' }),
  '/health': text(''),
  '/metrics': text('tgi_queue_size 0\n'),
  '/tokenize': bytes,
};
const ollama: Record<string, Answer> = {
  '/': text('Ollama is running'),
  '/v1/models': json({
    data: [
      { id: 'cold:1b', owned_by: 'library' },
      { id: 'm:8b', owned_by: 'library' },
    ],
  }),
  '/api/ps': json({ models: [{ name: 'm:8b', context_length: 4096 }] }),
  '/api/show': json({
    model_info: { 'general.architecture': 'llama', 'llama.embedding_length': 4096, 'llama.vocab_size': 128256 },
  }),
  '/api/version': json({ version: '0.6.1' }),
};

describe('the kind of an engine', () => {
  const withoutOwner = json({ data: [{ id: 'm', owned_by: 'my-company' }] });
  test.each<[string | null, string, Record<string, Answer>]>([
    ['aphrodite', 'its owner', goodEngine],
    ['vllm', 'its owner', { ...goodEngine, '/v1/models': card('vllm') }],
    ['sglang', 'its owner', sglang],
    ['llamacpp', 'its owner', llamaCpp],
    ['ollama', 'its owner', ollama],
    ['tgi', 'the prefix of its metrics', tgi],
    ['aphrodite', 'its metrics where models are guarded', { ...goodEngine, '/v1/models': json({}, 401) }],
    ['vllm', 'the metrics of Ray', { '/v1/models': withoutOwner, '/metrics': text('ray_x 1\nvllm_num_requests 1\n') }],
    [
      'vllm',
      'the metrics of Ray Serve',
      { '/v1/models': withoutOwner, '/metrics': text('ray_x 1\nray_vllm:num_requests_running 1\n') },
    ],
    ['tgi', 'its page of facts', { ...tgi, '/metrics': json({}, 404) }],
    ['ollama', 'its own version', { '/api/version': json({ version: '1' }) }],
    [null, 'nothing', { '/v1/models': withoutOwner, '/metrics': text('up 1\n') }],
  ])('is %s by %s', async (kind, _, answers) => {
    const { engine } = await start(answers);
    expect(await engine.kind()).toBe(kind);
  });

  test('the kind is detected once, and never when it is given', async () => {
    const given = await start(goodEngine, { kind: 'vllm' });
    await given.engine.version();
    expect(given.server.asked.map(({ request }) => request)).toEqual(['GET /version']);
    const { engine, server } = await start(goodEngine);
    await Promise.all([engine.version(), engine.health(), engine.version()]);
    expect(server.asked.filter(({ request }) => request === 'GET /v1/models')).toHaveLength(1);
  });

  test('the kind is detected from the metrics when the model list hangs or fails', async () => {
    for (const models of [silent, json({}, 500), text('<html>')]) {
      const { engine, server } = await start({ ...goodEngine, '/v1/models': models }, { timeoutMs: 60_000 });
      expect(await engine.kind()).toBe('aphrodite');
      await expect.poll(() => server.asked.filter(({ open }) => open()).length).toBe(0);
    }
  });

  test('the kind of a failing engine stays unknown, and no request stays open when no caller waits', async () => {
    const failing = Object.fromEntries(
      ['/v1/models', '/metrics', '/info', '/api/version', '/version'].map((path) => [path, json({}, 500)]),
    );
    const { engine } = await start(failing);
    await expect(engine.version()).rejects.toMatchObject({
      message: expect.stringMatching(/^GET \/v1\/models/),
      status: 500,
    });
    const hanging = await start({ '/v1/models': silent, '/metrics': silent }, { timeoutMs: 60_000 });
    const abort = new AbortController();
    const asked = hanging.engine.version({ signal: abort.signal });
    await expect.poll(() => hanging.server.asked.length).toBe(1);
    abort.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    await expect.poll(() => hanging.server.connections()).toBe(0);
  });

  test('the detected kind is forgotten when nothing listens any more', async () => {
    const first = await serveEngine(goodEngine);
    const engine = new HttpEngine(first.url);
    open.push(() => engine.close());
    expect(await engine.kind()).toBe('aphrodite');
    await first.close();
    await expect(engine.version()).rejects.toMatchObject({ code: 'ERR_DTESN_ENGINE_REFUSED' });
    const second = await serveEngine({ ...goodEngine, '/v1/models': card('vllm') }, Number(new URL(first.url).port));
    open.push(second.close);
    expect(await engine.kind()).toBe('vllm');
  });
});

describe('the dialect of each kind', () => {
  test.each<[string, Record<string, Answer>, object, string]>([
    ['SGLang', sglang, { id: 'm', root: '/m', maxModelLen: 4096, ownedBy: 'sglang' }, '0.4.6'],
    ['llama.cpp', llamaCpp, { maxModelLen: 8192, vocabSize: 32000, hiddenSize: 4096, root: '/m.gguf' }, 'b5000-abc'],
    ['TGI', tgi, { id: 'org/m', maxModelLen: 2048, dtype: 'float16' }, '3.0.0'],
    ['Ollama', ollama, { id: 'm:8b', maxModelLen: 4096, vocabSize: 128256, hiddenSize: 4096 }, '0.6.1'],
  ])('%s tells its model, version and health', async (_, answers, card, version) => {
    const { engine } = await start(answers);
    expect((await engine.models())[0]).toMatchObject(card);
    expect(await engine.version()).toBe(version);
    await engine.health();
  });

  test.each([
    ['SGLang', sglang],
    ['llama.cpp', llamaCpp],
  ])('%s tokenizes and detokenizes', async (_, answers) => {
    const { engine } = await start(answers);
    expect(await engine.tokenize('aé')).toEqual({ count: 3, maxModelLen: null, tokens: [97, 195, 169] });
    expect(await engine.detokenize([97, 195, 169])).toBe('aé');
  });

  test('TGI cannot detokenize, Ollama has no tokenizer and no metrics: these calls reject with UNSUPPORTED and send no request', async () => {
    const [one, other] = [await start(tgi), await start(ollama)];
    expect((await one.engine.tokenize('ab')).tokens).toEqual([97, 98]);
    const code = 'ERR_DTESN_ENGINE_UNSUPPORTED';
    await expect(one.engine.detokenize([97])).rejects.toMatchObject({ code });
    await expect(other.engine.metrics()).rejects.toMatchObject({ code, message: expect.stringMatching(/Ollama/) });
    await expect(other.engine.tokenize('a')).rejects.toMatchObject({ code });
    expect(other.server.asked.map(({ request }) => request)).toEqual(['GET /v1/models']);
  });

  test('the sources hold the fields that a kind reports and leave the rest unknown', async () => {
    const { engine } = await start(ollama);
    expect(await fetchTokenizerDataSource(engine)).toMatchObject({
      ...{ state: 'partial', tokenizer_available: false, has_encode_method: false, engine_type: 'ollama' },
      ...{ round_trip_ok: null, unknown: ['round_trip_ok', 'max_model_len'] },
    });
    expect(await fetchModelDataSource(engine)).toMatchObject({
      ...{ model_name: 'm:8b', vocab_size: 128256, hidden_size: 4096, dtype: null, engine_version: '0.6.1' },
      provenance: { vocab_size: "the engine's model card" },
    });
  });

  test('the key is sent only to the paths that the kind guards', async () => {
    const { engine, server } = await start(llamaCpp, { apiKey: 'sk-1' });
    await Promise.all([engine.models(), engine.tokenize('a'), engine.health(), engine.metrics()]);
    const keyed = server.asked.filter(({ headers }) => headers.authorization).map(({ request }) => request);
    // The list of models is asked once more, while the kind is not known.
    expect(new Set(keyed)).toEqual(new Set(['GET /v1/models', 'GET /props', 'GET /metrics', 'POST /tokenize']));
    expect(server.asked.find(({ request }) => request === 'GET /health')?.headers.authorization).toBeUndefined();
  });
});

describe('transport', () => {
  test('an engine is reached through a Unix domain socket', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'dtesn-socket-'));
    open.push(() => rm(folder, { recursive: true }));
    const socketPath = path.join(folder, 'engine.sock');
    const engine = new HttpEngine('http://localhost/root', { socketPath });
    open.push(() => engine.close());
    expect(engine.label).toBe(`http://localhost/root on unix:${socketPath}`);
    await expect(engine.version()).rejects.toMatchObject({ code: 'ERR_DTESN_ENGINE_REFUSED' });
    const server = await serveEngine(
      { '/root/v1/models': card('vllm'), '/root/version': json({ version: '1' }) },
      socketPath,
    );
    open.push(server.close);
    expect(await engine.version()).toBe('1');
  });

  test('an engine is reached over TLS with a certificate authority given in `ca`', async () => {
    const { key, cert } = selfSigned();
    const server = https.createServer({ key, cert }, (_, response) =>
      response.end(JSON.stringify({ data: [modelCard] })),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push(() => new Promise((resolve) => server.close(resolve)));
    const url = `https://localhost:${(server.address() as AddressInfo).port}`;
    const trusting = new HttpEngine(url, { ca: cert });
    const strict = new HttpEngine(url);
    open.push(
      () => trusting.close(),
      () => strict.close(),
    );
    expect((await trusting.models())[0]?.id).toBe('m');
    await expect(strict.models()).rejects.toMatchObject({
      code: 'ERR_DTESN_ENGINE_UNREACHABLE',
      message: expect.stringMatching(/self-signed/),
    });
  });

  test.each([
    [{ kind: 'gpt' }, /one of aphrodite, vllm.* for kind/],
    [{ socketPath: '' }, /Unix domain socket for socketPath/],
    [{ ca: 'x' }, /certificates in PEM for ca/],
    [{ socketpath: 'x' }, /Unknown option socketpath of HttpEngine; did you mean socketPath/],
  ])('the options %j are refused', (options, message) => {
    expect(() => new HttpEngine('http://127.0.0.1:1', options as HttpEngineOptions)).toThrow(message);
  });
});
