import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { AphroditeEngine, type AphroditeEngineOptions } from '../../../src/engine/index.js';
import {
  type Answer,
  type EngineServer,
  goodEngine,
  json,
  metricsBody,
  modelCard,
  serveEngine,
} from '../../faults/engine-server.js';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function start(
  answers: Record<string, Answer> = goodEngine,
  options: AphroditeEngineOptions = {},
  root = '',
): Promise<{ server: EngineServer; engine: AphroditeEngine }> {
  const server = await serveEngine(answers);
  const engine = new AphroditeEngine(server.url + root, options);
  open.push(server.close, () => engine.close());
  return { server, engine };
}

describe('AphroditeEngine', () => {
  test('each endpoint has an answer of its own shape', async () => {
    const { engine } = await start();
    expect(await engine.models()).toEqual([
      { id: 'm', root: '/models/m', parent: null, maxModelLen: 8192, ownedBy: 'aphrodite' },
    ]);
    expect(await engine.version()).toBe('0.10.0');
    expect(await engine.health()).toBeUndefined();
    expect(Buffer.from(await engine.metrics()).toString()).toBe(metricsBody);
    expect(await engine.tokenize('aé')).toEqual({ count: 4, maxModelLen: 8192, tokens: [256, 97, 195, 169] });
    expect(await engine.detokenize([256, 97, 195, 169])).toBe('<s>aé');
  });

  test('an adapter’s card has a parent and no length', async () => {
    const lora = { ...modelCard, id: 'lora', parent: 'm', max_model_len: null };
    const { engine } = await start({ '/v1/models': json({ data: [lora] }) });
    expect((await engine.models())[0]).toMatchObject({ id: 'lora', parent: 'm', maxModelLen: null });
  });

  test('the key is sent to /v1 and nowhere else', async () => {
    const { engine, server } = await start(goodEngine, { apiKey: 'sk-1' });
    await Promise.all([engine.models(), engine.metrics(), engine.health(), engine.tokenize('a')]);
    const withKey = server.asked.filter(({ headers }) => headers.authorization === 'Bearer sk-1');
    expect(withKey.map(({ request }) => request)).toEqual(['GET /v1/models']);
    expect(server.asked.filter(({ headers }) => headers.authorization !== undefined)).toHaveLength(1);
    expect(server.asked.every(({ headers }) => headers['accept-encoding'] === 'identity')).toBe(true);
  });

  test('endpoints are resolved below the root path of the URL', async () => {
    const { engine, server } = await start({ '/proxy/a/version': json({ version: '1' }) }, {}, '/proxy/a');
    expect(await engine.version()).toBe('1');
    expect(engine.label).toBe(`${server.url}/proxy/a`);
  });

  test('localhost is reached although the engine listens on IPv4 only', async () => {
    const { server } = await start();
    const engine = new AphroditeEngine(server.url.replace('127.0.0.1', 'localhost'));
    open.push(() => engine.close());
    expect(await engine.version()).toBe('0.10.0');
  });

  test('one connection serves many requests, and close() leaves none open', async () => {
    const { engine, server } = await start();
    for (let i = 0; i < 5; i++) await engine.version();
    expect(await server.connections()).toBe(1);
    await engine.close();
    await expect.poll(() => server.connections()).toBe(0);
    await expect(engine.version()).rejects.toMatchObject({ code: 'ERR_DTESN_CLOSED' });
  });
});

describe('the model’s files', () => {
  test('config.json of modelDir is parsed; without modelDir there are none', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'dtesn-model-'));
    open.push(() => rm(folder, { recursive: true }));
    await writeFile(path.join(folder, 'config.json'), '{"hidden_size": 64}');
    const { engine } = await start(goodEngine, { modelDir: folder });
    expect(await engine.modelFiles()).toMatchObject({ folder, config: { hidden_size: 64 }, problems: [] });
    expect(await (await start()).engine.modelFiles()).toBeNull();
    await writeFile(path.join(folder, 'config.json'), '[1]');
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(engine.modelFiles({ signal })).rejects.toThrow('enough');
    await expect(engine.modelFiles()).rejects.toMatchObject({ code: 'ERR_DTESN_MODEL_FILES' });
    await rm(path.join(folder, 'config.json'));
    await expect(engine.modelFiles()).rejects.toMatchObject({ code: 'ERR_DTESN_MODEL_FILES' });
  });
});

describe('arguments', () => {
  test.each([
    ['ftp://host', /http or https URL/],
    ['not a url', /http or https URL/],
    ['http://host/?key=1', /http or https URL/],
    [7 as unknown as string, /received 7/],
  ])('the URL %j is refused', (url, message) => {
    expect(() => new AphroditeEngine(url)).toThrow(
      expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT', message: expect.stringMatching(message) }),
    );
  });

  test.each([
    [{ timeoutMs: Number.NaN }, /milliseconds in \(0, 600000\] for timeoutMs/],
    [{ timeoutMs: 0 }, /timeoutMs/],
    [{ apikey: 'x' } as AphroditeEngineOptions, /did you mean apiKey/],
    [{ apiKey: 'sk\n' }, /visible ASCII/],
    [{ modelDir: '' }, /folder with config.json for modelDir/],
  ])('the options %j are refused', (options, message) => {
    expect(() => new AphroditeEngine('http://127.0.0.1:1', options)).toThrow(message);
  });

  test('no error message contains a password or a key', () => {
    const message = (make: () => unknown) => {
      try {
        make();
      } catch (error) {
        return (error as Error).message;
      }
      return 'nothing was thrown';
    };
    expect(message(() => new AphroditeEngine('http://user:secret@host'))).toMatch(/without user(?!.*secret)/);
    expect(message(() => new AphroditeEngine('http://host', { apiKey: 'secret\n' }))).toMatch(/apiKey(?!.*secret)/);
  });

  test('a text that is not a string and tokens that are not ids are refused before a request is sent', async () => {
    const { engine, server } = await start();
    await expect(engine.tokenize(7 as unknown as string)).rejects.toThrow(/a string for text/);
    await expect(engine.detokenize('7' as unknown as number[])).rejects.toThrow(/token ids for tokens/);
    expect(server.asked).toEqual([]);
  });
});
