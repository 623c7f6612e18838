import { describe, expect, test } from 'vitest';
import { type EncodeInput, encodeInput, writeSeries } from '../../src/encoding/index.js';
import fc from '../property/fast-check.js';

const written = async (input: EncodeInput, kind: typeof Float64Array | typeof Float32Array = Float64Array) => {
  const encoded = await encodeInput(input);
  const target = new kind(encoded.steps * encoded.features);
  writeSeries(encoded, target);
  return [...target];
};

describe('text', () => {
  test('the tokens of the engine are used unchanged', async () => {
    const tokenize = async (text: string) => ({ tokens: [...text].map((c) => c.codePointAt(0)! * 100) });
    const encoded = await encodeInput('ab', { tokenize });
    expect(encoded).toEqual({
      kind: 'tokens',
      steps: 2,
      features: 1,
      tokens: [9700, 9800],
      encoder: 'engine',
      note: null,
      error: null,
    });
  });

  test('text without a tokenizer is encoded as UTF-8 bytes, and the note says so', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1 }), async (text) => {
        const encoded = await encodeInput(text);
        expect(encoded).toMatchObject({ kind: 'tokens', features: 1, encoder: 'utf8-bytes', error: null });
        expect(encoded.note).toMatch(/no tokenizer was given/);
        expect(await written(text)).toEqual([...Buffer.from(text, 'utf8')]);
      }),
    );
  });

  test('a lone surrogate becomes the bytes of U+FFFD', async () => {
    expect(await written('\ud800')).toEqual([0xef, 0xbf, 0xbd]);
  });

  test.each<[string, () => Promise<{ tokens: number[] }>, RegExp]>([
    ['rejects', () => Promise.reject(new Error('POST /tokenize: 500')), /POST \/tokenize: 500/],
    [
      'throws',
      () => {
        throw new Error('no route');
      },
      /no route/,
    ],
    ['rejects with no error', () => Promise.reject('gone'), /gone/],
    ['answers nothing', () => Promise.resolve(undefined as never), /an array of tokens but received undefined/],
    ['answers text', () => Promise.resolve({ tokens: 'abc' as never }), /an array of tokens/],
    ['answers halves', () => Promise.resolve({ tokens: [1, 2.5] }), /received 2\.5 at position 1/],
    ['answers negative ids', () => Promise.resolve({ tokens: [-1] }), /received -1 at position 0/],
  ])('a tokenizer that %s leads to bytes, with its error kept', async (_, tokenize, message) => {
    const encoded = await encodeInput('hé', { tokenize });
    expect(encoded).toMatchObject({ encoder: 'utf8-bytes', steps: 3 });
    expect(encoded.note).toMatch(message);
    expect(encoded.error).toBeInstanceOf(Error);
    expect(encoded.error?.message).toMatch(message);
  });

  test('when the tokenizer of the engine fails or is absent, the local one is used, and the note says so', async () => {
    const localTokenizer = async () => ({ folder: '/m', encode: (text: string) => [...text].map(() => 7) });
    const tokenize = () => Promise.reject(new Error('POST /tokenize: 500'));
    const failed = await encodeInput('hé', { tokenize, localTokenizer });
    expect(failed).toMatchObject({ encoder: 'local', tokens: [7, 7], error: { message: 'POST /tokenize: 500' } });
    expect(failed.note).toBe('the tokenizer failed (POST /tokenize: 500): the tokens come from the tokenizer in /m');
    expect(await encodeInput('hé', { localTokenizer })).toMatchObject({ encoder: 'local', error: null });
    const given = await encodeInput('hé', { tokenize: async () => ({ tokens: [1] }), localTokenizer });
    expect(given).toMatchObject({ encoder: 'engine', tokens: [1], note: null });
  });

  test('when the local tokenizer is absent or fails too, the tokens are bytes', async () => {
    const none = await encodeInput('hé', { localTokenizer: async () => null });
    expect(none).toMatchObject({ encoder: 'utf8-bytes', error: null });
    expect(none.note).toBe('no tokenizer was given: the tokens are UTF-8 bytes');
    const failing = () => Promise.reject(new Error('not installed'));
    const failed = await encodeInput('hé', { localTokenizer: failing });
    expect(failed).toMatchObject({ encoder: 'utf8-bytes', steps: 3, error: { message: 'not installed' } });
    expect(failed.note).toMatch(/and the local one failed \(not installed\): the tokens are UTF-8 bytes$/);
    const tokenize = () => Promise.reject(new Error('gone'));
    expect(await encodeInput('hé', { tokenize, localTokenizer: failing })).toMatchObject({
      error: { message: 'gone' },
    });
  });

  test('an empty text is zero steps, and no tokenizer is called', async () => {
    const tokenize = () => Promise.reject(new Error('asked'));
    expect(await encodeInput('', { tokenize })).toMatchObject({ kind: 'tokens', steps: 0, features: 1, error: null });
  });

  test('an abort rejects and does not fall back to another tokenizer', async () => {
    const controller = new AbortController();
    const reason = new Error('the caller left');
    const tokenize = (_text: string, { signal }: { signal?: AbortSignal }) =>
      new Promise<never>((_, reject) => {
        signal?.addEventListener('abort', () => reject(new Error('socket closed')));
        controller.abort(reason);
      });
    await expect(encodeInput('text', { tokenize, signal: controller.signal })).rejects.toBe(reason);
    await expect(encodeInput([1], { signal: controller.signal })).rejects.toBe(reason);
  });

  test('a text that is too long is refused before any tokenizer is called', async () => {
    const tokenize = () => Promise.reject(new Error('asked'));
    await expect(encodeInput('abcd', { tokenize, maxSteps: 3 })).rejects.toThrow(
      /a text of 3 characters or fewer for input but received 4/,
    );
    await expect(encodeInput('éé', { maxSteps: 3 })).rejects.toThrow(/a text of 3 tokens or fewer .* 4/);
    await expect(encodeInput('a', { tokenize: async () => ({ tokens: [1, 2, 3, 4] }), maxSteps: 3 })).rejects.toThrow(
      /3 tokens or fewer .* 4/,
    );
  });
});

describe('tokens and bytes', () => {
  test('given tokens are used unchanged', async () => {
    const tokens = [0, 7, 2 ** 32 - 1];
    const encoded = await encodeInput({ tokens });
    expect(encoded).toMatchObject({ kind: 'tokens', steps: 3, features: 1, encoder: 'given', note: null });
    expect(encoded.kind === 'tokens' && encoded.tokens).toBe(tokens);
    expect(await written({ tokens })).toEqual(tokens);
  });

  test('the bytes of a Uint8Array are tokens', async () => {
    expect(await encodeInput(Buffer.from('hi'))).toMatchObject({ kind: 'tokens', steps: 2, encoder: 'given' });
    expect(await written(Uint8Array.of(1, 255))).toEqual([1, 255]);
  });

  test.each<[unknown, RegExp]>([
    ['12', /an array of token ids for input\.tokens but received the string "12"/],
    [[1, 1.5], /a token id .* for input\.tokens\[1\] but received 1.5/],
    [[-1], /input\.tokens\[0\] but received -1/],
    [[2 ** 32], /input\.tokens\[0\] but received 4294967296/],
    [[Number.NaN], /input\.tokens\[0\] but received NaN/],
    [['a'], /input\.tokens\[0\] but received the string "a"/],
    [[1, undefined], /input\.tokens\[1\] but received undefined/],
  ])('tokens %j are refused by name', async (tokens, message) => {
    await expect(encodeInput({ tokens: tokens as number[] })).rejects.toThrow(message);
  });

  test('token ids that f32 would change are refused where the series is f32', async () => {
    const target = new Float32Array(2);
    writeSeries(await encodeInput({ tokens: [2 ** 24, 3] }), target);
    expect([...target]).toEqual([2 ** 24, 3]);
    const large = await encodeInput({ tokens: [1, 2 ** 24 + 1] });
    expect(() => writeSeries(large, target)).toThrow(/token ids up to 2\^24 .* for tokens\[1\] but received 16777217/);
  });
});

describe('numbers', () => {
  test('lists and float arrays are series of one feature', async () => {
    for (const input of [[1, -2.5], Float64Array.of(1, -2.5), Float32Array.of(1, -2.5)]) {
      expect(await encodeInput(input)).toMatchObject({ kind: 'numbers', steps: 2, features: 1, encoder: 'given' });
      expect(await written(input)).toEqual([1, -2.5]);
    }
  });

  test('rows and matrices of the same numbers are the same series', async () => {
    const row = (cols: number) =>
      fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: cols, maxLength: cols });
    const rows = fc.integer({ min: 1, max: 5 }).chain((cols) => fc.array(row(cols), { minLength: 1, maxLength: 20 }));
    await fc.assert(
      fc.asyncProperty(rows, async (given) => {
        const matrix = { rows: given.length, cols: given[0]!.length, data: Float64Array.from(given.flat()) };
        expect(await encodeInput(given)).toMatchObject({ steps: given.length, features: given[0]!.length });
        expect(await encodeInput(matrix)).toMatchObject({ steps: given.length, features: given[0]!.length });
        expect(await written(given)).toEqual(given.flat());
        expect(await written(matrix)).toEqual(given.flat());
      }),
    );
  });

  test('the values are not copied before they are written', async () => {
    const data = Float64Array.of(1, 2, 3, 4);
    const encoded = await encodeInput({ rows: 2, cols: 2, data });
    expect(encoded.kind === 'numbers' && encoded.values).toBe(data);
  });

  test('an empty list is zero steps', async () => {
    expect(await encodeInput([])).toMatchObject({ kind: 'numbers', steps: 0, features: 1 });
    expect(await encodeInput({ rows: 0, cols: 4, data: [] })).toMatchObject({ steps: 0, features: 4 });
    expect(await written([])).toEqual([]);
  });

  test.each<[string, unknown, string, RegExp]>([
    [
      'ragged rows',
      [[1, 2], [3]],
      'ERR_DTESN_SHAPE',
      /input\[1\] with 2 numbers, as many as input\[0\] has, but received 1/,
    ],
    ['a row that is none', [[1], 2], 'ERR_DTESN_ARGUMENT', /an array of numbers for input\[1\] but received 2/],
    ['rows of nothing', [[], []], 'ERR_DTESN_SHAPE', /input\[0\] with 1 number or more but received 0/],
    ['NaN in a list', [1, Number.NaN], 'ERR_DTESN_ARGUMENT', /a finite number for input\[1\] but received NaN/],
    [
      'Infinity in a row',
      [
        [1, 2],
        [3, -Infinity],
      ],
      'ERR_DTESN_ARGUMENT',
      /input\[1\]\[1\] but received -Infinity/,
    ],
    ['NaN in a view', Float32Array.of(0, Number.NaN), 'ERR_DTESN_ARGUMENT', /input\[1\] but received NaN/],
    [
      'a string in a list',
      [1, '2'],
      'ERR_DTESN_ARGUMENT',
      /a finite number for input\[1\] but received the string "2"/,
    ],
    ['a hole', [1, undefined, 3], 'ERR_DTESN_ARGUMENT', /input\[1\] but received undefined/],
    ['data that does not fill', { rows: 2, cols: 2, data: [1, 2, 3] }, 'ERR_DTESN_SHAPE', /with 4 numbers .* 3/],
    ['NaN in a matrix', { rows: 1, cols: 1, data: [Number.NaN] }, 'ERR_DTESN_ARGUMENT', /input\.data\[0\]/],
    ['half a row', { rows: 1.5, cols: 2, data: [1, 2, 3] }, 'ERR_DTESN_ARGUMENT', /for input\.rows but received 1.5/],
    ['no cols', { rows: 1, cols: 0, data: [] }, 'ERR_DTESN_ARGUMENT', /for input\.cols but received 0/],
    ['a string of rows', { rows: '1', cols: 1, data: [1] }, 'ERR_DTESN_ARGUMENT', /for input\.rows .* the string "1"/],
    ['a matrix of integers', { rows: 1, cols: 1, data: Int32Array.of(1) }, 'ERR_DTESN_ARGUMENT', /for input\.data/],
    ['integers', Int32Array.of(1), 'ERR_DTESN_ARGUMENT', /for input but received a Int32Array of 1/],
    ['a DataView', new DataView(new ArrayBuffer(8)), 'ERR_DTESN_ARGUMENT', /for input but received a DataView/],
    ['an object', {}, 'ERR_DTESN_ARGUMENT', /a text, tokens, numbers, .* for input but received an object/],
    ['null', null, 'ERR_DTESN_ARGUMENT', /for input but received null/],
    ['a number', 3, 'ERR_DTESN_ARGUMENT', /for input but received 3/],
  ])('%s is refused by name', async (_, input, code, message) => {
    const encoding = encodeInput(input as EncodeInput);
    await expect(encoding).rejects.toThrow(message);
    await expect(encoding).rejects.toMatchObject({ code });
  });

  test('more than maxSteps steps are refused', async () => {
    await expect(encodeInput([1, 2, 3], { maxSteps: 2 })).rejects.toThrow(/2 steps or fewer for input but received 3/);
  });

  test('numbers that f32 would make infinite are refused where the series is f32', async () => {
    const encoded = await encodeInput([1, -1e39]);
    expect(() => writeSeries(encoded, new Float32Array(2))).toThrow(/in the range of a Float32Array .* 1e\+39/);
    expect(() => writeSeries(encoded, new Float64Array(2))).not.toThrow();
  });
});

test('the target may be larger than the series, and is refused when it is smaller or not a view', async () => {
  const encoded = await encodeInput([
    [1, 2],
    [3, 4],
  ]);
  const target = new Float32Array(new SharedArrayBuffer(24)).fill(9);
  writeSeries(encoded, target);
  expect([...target]).toEqual([1, 2, 3, 4, 9, 9]);
  expect(() => writeSeries(encoded, new Float32Array(3))).toThrow(/target with 4 elements or more \(2 x 2\) .* 3/);
  expect(() => writeSeries(encoded, [] as unknown as Float32Array)).toThrow(/for target but received an array of 0/);
});

test.each<[unknown, RegExp]>([
  [{ maxSteps: 0 }, /a whole number of steps, 1 or more for maxSteps but received 0/],
  [{ tokenize: 'bpe' }, /a function .* for tokenize but received the string "bpe"/],
  [{ signal: {} }, /an AbortSignal for signal/],
  [{ tokenise: () => {} }, /Unknown option tokenise of encodeInput; did you mean tokenize\?/],
])('the options %j are refused by name', async (options, message) => {
  await expect(encodeInput('a', options as object)).rejects.toThrow(message);
});
