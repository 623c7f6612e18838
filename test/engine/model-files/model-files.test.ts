import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AphroditeEngine } from '../../../src/engine/index.js';
import { readModelFiles } from '../../../src/engine/model-files/model-files.js';
import { givenModelFolder } from '../../../src/engine/model-files/model-folder.js';
import { fetchModelDataSource } from '../../../src/sources/index.js';
import { ggufBytes, llama } from './gguf-bytes.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'dtesn-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, content: unknown) =>
  writeFile(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
const read = () => readModelFiles(givenModelFolder(folder));

const tokenizer = { model: { vocab: { a: 0, b: 1 } }, added_tokens: [{ content: '<s>' }] };
const config = { vocab_size: 4, hidden_size: 8, torch_dtype: 'bfloat16', max_position_embeddings: 16, eos_token_id: 1 };

test('the facts come from four files, and each names its file', async () => {
  await write('config.json', config);
  await write('generation_config.json', { eos_token_id: [1, 2] });
  await write('tokenizer.json', tokenizer);
  await write('tokenizer_config.json', { model_max_length: 32 });
  const { facts, problems, ...rest } = await read();
  expect(rest).toEqual({ folder, config, hubId: null });
  expect(problems).toEqual([]);
  expect(facts).toMatchObject({
    ...{ vocabSize: 4, hiddenSize: 8, dtype: 'bfloat16', trainedLength: 16, tokenizerSize: 3, eosTokenIds: [1, 2] },
    ...{ tokenizerMaxLength: 32, bosTokenIds: null },
    tokenizerSha256: createHash('sha256').update(JSON.stringify(tokenizer)).digest('hex'),
    provenance: { eosTokenIds: 'generation_config.json', tokenizerSize: 'tokenizer.json', vocabSize: 'config.json' },
  });
});

test('an absent file is not a problem; a broken file is one, and only its own facts are missing', async () => {
  await write('tokenizer.json', tokenizer);
  expect(await read()).toMatchObject({ config: {}, facts: { tokenizerSize: 3, vocabSize: null }, problems: [] });
  await write('config.json', '{"vocab_size": 4');
  await write('generation_config.json', '[1]');
  await mkdir(path.join(folder, 'tokenizer_config.json'));
  const { problems, facts } = await read();
  expect(problems).toHaveLength(3);
  expect(problems?.join('\n')).toMatch(/generation_config\.json: not a JSON object[\s\S]*config\.json: .*JSON/);
  expect(problems?.join('\n')).toMatch(/tokenizer_config\.json: not a regular file of at most 4194304 bytes/);
  expect(facts?.tokenizerSize).toBe(3);
});

test('files that are too large are not read', async () => {
  await write('config.json', config);
  await write('tokenizer.json', '{');
  await truncate(path.join(folder, 'tokenizer.json'), 64 * 1024 * 1024 + 1);
  expect((await read()).problems).toEqual([
    `${path.join(folder, 'tokenizer.json')}: not a regular file of at most 67108864 bytes`,
  ]);
  await truncate(path.join(folder, 'config.json'), 4 * 1024 * 1024 + 1);
  await expect(read()).rejects.toThrow(/config\.json: not a regular file of at most 4194304 bytes/);
});

test('a folder without any of the files is refused', async () => {
  await expect(read()).rejects.toMatchObject({
    code: 'ERR_DTESN_MODEL_FILES',
    message: expect.stringMatching(/config\.json: ENOENT/),
  });
});

test('tokenizer.json is parsed again after it changed and after it was broken', async () => {
  await write('tokenizer.json', '[1]');
  await expect(read()).rejects.toThrow(/not a JSON object/);
  await write('tokenizer.json', tokenizer);
  expect((await read()).facts?.tokenizerSize).toBe(3);
  expect((await read()).facts?.tokenizerSize).toBe(3);
  await write('tokenizer.json', { model: { vocab: { a: 0, b: 1, c: 2, d: 3 } } });
  await utimes(path.join(folder, 'tokenizer.json'), 1, 1);
  expect((await read()).facts?.tokenizerSize).toBe(4);
});

test('one GGUF file gives all facts', async () => {
  const file = path.join(folder, 'tiny.gguf');
  await writeFile(file, ggufBytes(llama));
  const files = await readModelFiles(givenModelFolder(file));
  expect(files).toMatchObject({
    ...{ folder: file, config: {}, problems: [] },
    facts: { vocabSize: 4, hiddenSize: 64, dtype: 'Q4_K_M', trainedLength: 2048, provenance: { dtype: 'tiny.gguf' } },
  });
  await writeFile(file, 'GGUF');
  await expect(readModelFiles(givenModelFolder(file))).rejects.toMatchObject({ code: 'ERR_DTESN_MODEL_FILES' });
  await rm(file);
  await expect(readModelFiles(givenModelFolder(file))).rejects.toMatchObject({ code: 'ERR_DTESN_MODEL_FILES' });
});

test('the root that the engine names is read only inside a folder that the user allowed', async () => {
  const { createServer } = await import('node:http');
  await write('config.json', config);
  const cards = [
    { id: 'adapter', root: '/elsewhere', parent: 'base' },
    { id: 'base', root: folder, parent: null, max_model_len: 32, owned_by: 'vllm' },
  ];
  const server = createServer(({ url }, answer) => {
    answer.end(JSON.stringify(url === '/v1/models' ? { data: cards } : { version: '1' }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  const allowing = { timeoutMs: 20_000, modelFolders: [path.dirname(folder)] };
  const engine = new AphroditeEngine(`http://127.0.0.1:${port}`, allowing);
  const careful = new AphroditeEngine(`http://127.0.0.1:${port}`, { timeoutMs: 20_000 });
  try {
    expect(await engine.modelFiles()).toBeNull();
    expect(await fetchModelDataSource(careful, { timeoutMs: 20_000 })).toMatchObject({
      ...{ model_name: 'base', hidden_size: null, dtype: null, conflicts: null },
    });
    expect(await fetchModelDataSource(engine, { timeoutMs: 20_000 })).toMatchObject({
      ...{ model_name: 'base', hidden_size: 8, trained_length: 16 },
      conflicts: ['max_model_len of the engine is 32, more than the trained length in config.json, 16'],
    });
  } finally {
    await Promise.all([engine.close(), careful.close()]);
    server.close();
  }
});
