import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LocalTokenizer } from '../../src/encoding/index.js';
import { importOptional } from '../../src/host/index.js';
import fc from '../property/fast-check.js';
import { cases } from '../quick.js';
import { begin, end, plainDecode, plainEncode, tokenizerJson } from './byte-level-bpe.js';

let folder = '';
let tokenizer: LocalTokenizer;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'dtesn-tokenizer-'));
  await writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizerJson));
  tokenizer = await LocalTokenizer.load(folder);
});
afterAll(() => rm(folder, { recursive: true }));

const texts = [
  ...['', 'the tree', ' the  thing\n\tin there', "it's 1212 trees, they'll sing", 'café naïve Grüße', '🌲🌲 🌳'],
  ...['日本語 の 木', 'e\u0301 versus é', '\u00a0\u2003x\r\n', '<s>the</s> <s', '</s>', ' ', '\0', 'العربية ١٢'],
];

describe('the ids equal those of the reference', () => {
  test.each(texts)('the local tokenizer gives the reference ids for %j, and decodes them to the text', (text) => {
    const ids = tokenizer.encode(text);
    expect(ids).toEqual(plainEncode(text));
    expect(tokenizer.decode(ids)).toBe(`<s>${text}`);
    expect(plainDecode(ids)).toBe(`<s>${text}`);
  });

  test('the local tokenizer gives the reference ids for random texts', () => {
    const piece = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(...texts), fc.constantFrom('<s>', '</s>'));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (parts) => {
        const text = parts.join('');
        expect(tokenizer.encode(text)).toEqual(plainEncode(text));
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(`<s>${text}`);
      }),
      { numRuns: cases(500) },
    );
  });
});

test('special tokens are single tokens, in the text and before it', () => {
  expect(tokenizer.encode('<s></s>')).toEqual([begin, begin, end]);
  expect(tokenizer.decode([])).toBe('');
});

test('spaces before punctuation are removed only when tokenizer_config.json asks for it', async () => {
  const other = await mkdtemp(path.join(folder, 'clean-'));
  await writeFile(path.join(other, 'tokenizer.json'), JSON.stringify(tokenizerJson));
  await writeFile(path.join(other, 'tokenizer_config.json'), '{"clean_up_tokenization_spaces": true}');
  const cleaning = await LocalTokenizer.load(other);
  expect(cleaning.decode(plainEncode('the tree .').slice(1))).toBe('the tree.');
  expect(tokenizer.decode(plainEncode('the tree .').slice(1))).toBe('the tree .');
});

describe('refused:', () => {
  test.each([
    ['no file', null, /tokenizer\.json/],
    ['a file that is no JSON', '{', /JSON/],
    ['a list', '[]', /tokenizer\.json is not a JSON object/],
    ['an object that is no tokenizer', '{}', /Cannot load the tokenizer in/],
  ])('a folder with %s is refused', async (_name, content, message) => {
    const other = await mkdtemp(path.join(folder, 'wrong-'));
    if (content !== null) await writeFile(path.join(other, 'tokenizer.json'), content);
    await expect(LocalTokenizer.load(other)).rejects.toMatchObject({
      code: 'ERR_DTESN_TOKENIZER',
      message: expect.stringMatching(message),
    });
  });

  test('a broken tokenizer_config.json is refused', async () => {
    const other = await mkdtemp(path.join(folder, 'config-'));
    await writeFile(path.join(other, 'tokenizer.json'), JSON.stringify(tokenizerJson));
    await writeFile(path.join(other, 'tokenizer_config.json'), '7');
    await expect(LocalTokenizer.load(other)).rejects.toThrow(/tokenizer_config\.json is not a JSON object/);
  });

  test('arguments of a wrong type are refused', async () => {
    await expect(LocalTokenizer.load('')).rejects.toThrow(/path of a folder for folder/);
    expect(() => tokenizer.encode(7 as never)).toThrow(/a string for text but received 7/);
    expect(() => tokenizer.decode([1.5])).toThrow(/an array of token ids for ids/);
  });
});

test('a package that is not installed is named with its npm command', async () => {
  await expect(importOptional('@dtesn/not-installed', '^1.0.0', 'a test')).rejects.toMatchObject({
    code: 'ERR_DTESN_PACKAGE',
    message: expect.stringMatching(/for a test but it is not installed: npm install @dtesn\/not-installed@\^1\.0\.0$/),
  });
});
