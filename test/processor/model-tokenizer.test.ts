import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AphroditeEngine, EngineError, givenModelFolder, readModelFiles } from '../../src/engine/index.js';
import { DtesnProcessor } from '../../src/processor/index.js';
import { ModelTokenizer } from '../../src/processor/model-tokenizer.js';
import { plainEncode, tokenizerJson } from '../encoding/byte-level-bpe.js';
import { memoryEngine } from '../sources/memory-engine.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'dtesn-model-tokenizer-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (json: unknown) => writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(json));
const modelFiles = () => readModelFiles(givenModelFolder(folder));

test('the tokenizer of the model is loaded once, and again when its file changes', async () => {
  const tokenizer = new ModelTokenizer(memoryEngine({ modelFiles }));
  await write(tokenizerJson);
  const first = await tokenizer.find();
  expect(await tokenizer.find()).toBe(first);
  await write({ ...tokenizerJson, version: '1.0-again' });
  const second = await tokenizer.find();
  expect(second).not.toBe(first);
  expect(second?.encode('the tree')).toEqual(plainEncode('the tree'));
});

test('the tokenizer is null when the files are unknown or have no tokenizer.json', async () => {
  expect(await new ModelTokenizer(memoryEngine({ modelFiles: async () => null })).find()).toBeNull();
  await writeFile(path.join(folder, 'config.json'), '{}');
  expect(await new ModelTokenizer(memoryEngine({ modelFiles })).find()).toBeNull();
});

test('a processor whose engine cannot tokenise takes the tokenizer of the model’s files, and says so', async () => {
  await write(tokenizerJson);
  const tokenize = async () => {
    throw new EngineError('ERR_DTESN_ENGINE_HTTP', 'answered 404', { status: 404 });
  };
  const config = { depth: 1, units: 8, bseriesOrder: 1, sourceDeadlineMs: 20_000 };
  const processor = await DtesnProcessor.create({ engine: memoryEngine({ tokenize, modelFiles }), config });
  const { input } = await processor.process('the tree');
  expect(input).toMatchObject({ encoder: 'local', steps: plainEncode('the tree').length });
  expect(input.note).toBe(`no tokenizer was given: the tokens come from the tokenizer in ${folder}`);
  await processor.close();
});

test('an engine that is down costs nothing when its modelDir is known', async () => {
  await write(tokenizerJson);
  const engine = new AphroditeEngine('http://127.0.0.1:1', { modelDir: folder });
  expect((await new ModelTokenizer(engine).find())?.encode('in')).toEqual(plainEncode('in'));
  await engine.close();
});
