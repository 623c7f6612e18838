/** Tokens that an engine answers and that cannot be those of the text. */
import { afterEach, describe, expect, test } from 'vitest';
import { HttpEngine } from '../../../src/engine/index.js';
import { type Answer, goodEngine, json, serveEngine } from '../../faults/engine-server.js';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function tokenize(kind: 'vllm' | 'sglang' | 'llamacpp' | 'tgi', text: string, answer: Answer) {
  const server = await serveEngine({ ...goodEngine, '/tokenize': answer });
  const engine = new HttpEngine(server.url, { kind });
  open.push(server.close, () => engine.close());
  return engine.tokenize(text);
}

const ids = (count: number) => Array<number>(count).fill(7);
const refused = (why: RegExp) => ({ code: 'ERR_DTESN_ENGINE_BODY', message: expect.stringMatching(why) });

describe('a tokenization is refused', () => {
  test('a tokenization whose count differs from its number of tokens is refused', async () => {
    const answer = json({ count: 3, tokens: ids(400_000), max_model_len: 8192 });
    await expect(tokenize('vllm', 'hello', answer)).rejects.toMatchObject(refused(/counts 3 tokens but lists 400000$/));
  });

  test.each([
    ['vllm' as const, { count: 400_000, tokens: ids(400_000) }],
    ['sglang' as const, { count: 400_000, tokens: ids(400_000) }],
    ['llamacpp' as const, { tokens: ids(400_000) }],
    ['tgi' as const, Array(50_000).fill({ id: 7 })],
  ])('a tokenization with more tokens than the text has bytes is refused: %s', async (kind, body) => {
    await expect(tokenize(kind, 'hello', json(body))).rejects.toMatchObject(
      refused(/lists \d+ tokens for a text of 5 bytes$/),
    );
  });
});

test.each<[string, string, number]>([
  ['one token a byte and marks', 'héllo', 6 + 16],
  ['no token', '', 0],
  ['marks of an empty text', '', 2],
  ['the bytes of a ligature that the tokenizer takes apart', '\ufdfa'.repeat(10), 330],
])('%s are believed', async (_, text, count) => {
  const { tokens } = await tokenize('vllm', text, json({ count, tokens: ids(count) }));
  expect(tokens).toHaveLength(count);
});
