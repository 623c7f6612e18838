import { describe, expect, test } from 'vitest';
import {
  configFacts,
  generationFacts,
  joinFacts,
  tokenizerConfigFacts,
  tokenizerFacts,
} from '../../src/engine/model-facts.js';

describe('the trained length', () => {
  const length = (config: Record<string, unknown>) => configFacts(config).trainedLength;
  const base = { max_position_embeddings: 4096 };

  test.each<[Record<string, unknown>, number | null]>([
    [base, 4096],
    [{ n_positions: 1024 }, 1024],
    [{ text_config: base }, 4096],
    [{ max_position_embeddings: -1 }, null],
    [{ sliding_window: 4096 }, null],
    [{ ...base, sliding_window: 1024 }, 4096],
  ])('of %j is %j', (config, expected) => expect(length(config)).toBe(expected));

  // The rule of vLLM's _get_and_verify_max_len.
  test.each<[Record<string, unknown>, number]>([
    [{ type: 'linear', factor: 2 }, 8192],
    [{ rope_type: 'dynamic', factor: 2.5 }, 10_240],
    [{ rope_type: 'yarn', factor: 4, original_max_position_embeddings: 1024 }, 4096],
    [{ rope_type: 'yarn', factor: 4 }, 16_384],
    [{ rope_type: 'llama3', factor: 8, original_max_position_embeddings: 1024 }, 4096],
    [{ rope_type: 'longrope', factor: 8 }, 4096],
    [{ rope_type: 'default', rope_theta: 10_000 }, 4096],
    [{ type: 'linear', factor: 'two' }, 4096],
    [{ full_attention: { rope_type: 'linear', factor: 8 }, sliding_attention: { rope_type: 'default' } }, 32_768],
  ])('under the rope parameters %j is %i', (rope, expected) => {
    expect(length({ ...base, rope_scaling: rope })).toBe(expected);
    expect(length({ text_config: { ...base, rope_parameters: rope } })).toBe(expected);
  });

  test('the trained length of Gemma 3 already includes its rope factor', () => {
    const rope = { rope_type: 'linear', factor: 8 };
    expect(length({ model_type: 'gemma3_text', ...base, rope_scaling: rope })).toBe(4096);
  });
});

describe('the tokenizer', () => {
  const size = (model: unknown, contents: unknown[] = []) =>
    tokenizerFacts({ model, added_tokens: contents.map((content) => ({ content })) }, 'hash').tokenizerSize;

  test('the tokenizer size counts the vocabulary and each added token that is not in it once', () => {
    expect(size({ vocab: { a: 0, b: 1 } }, ['b', '<s>', '<s>', '</s>'])).toBe(4);
    expect(
      size(
        {
          vocab: [
            ['a', -1],
            ['b', -2],
          ],
        },
        ['a', '<unk>'],
      ),
    ).toBe(3);
  });

  test('a tokenizer without a vocabulary has a hash and no size', () => {
    expect(size({})).toBeUndefined();
    expect(size({ vocab: {} })).toBeNull();
    expect(tokenizerFacts({}, 'hash')).toEqual({ tokenizerSha256: 'hash' });
  });

  test.each([
    [131_072, 131_072],
    [1e30, null],
    [1_000_000_000_000, null],
    [0, null],
    ['4096', null],
  ])('a tokenizer with model_max_length %j takes %j tokens', (given, expected) => {
    expect(tokenizerConfigFacts({ model_max_length: given }).tokenizerMaxLength).toBe(expected);
  });
});

test('each fact comes from the first file that has it, and names that file', () => {
  const facts = joinFacts([
    ['generation_config.json', generationFacts({ eos_token_id: [2, 7] })],
    ['config.json', configFacts({ bos_token_id: 1, eos_token_id: 2, hidden_size: 64 })],
  ]);
  expect(facts).toMatchObject({ eosTokenIds: [2, 7], bosTokenIds: [1], hiddenSize: 64, vocabSize: null });
  expect(facts.provenance).toEqual({
    ...{ eosTokenIds: 'generation_config.json', bosTokenIds: 'config.json', hiddenSize: 'config.json' },
  });
});

test.each([null, 'two', -1, 1.5, [], [1, 'x']])('%j is not a token id', (value) => {
  expect(generationFacts({ eos_token_id: value }).eosTokenIds).toBeNull();
});

test.each<[unknown, string | null]>([
  ['bfloat16', 'bfloat16'],
  ['torch.float16', 'float16'],
  ['float8_e4m3fn', 'float8_e4m3fn'],
  ['root:x:0:0', null],
  ['bfloat16\u001b[31m', null],
  ['torch.', null],
  ['', null],
  [7, null],
])('the dtype %j of a config is %j', (dtype, word) => {
  expect(configFacts({ dtype }).dtype ?? null).toBe(word);
});
