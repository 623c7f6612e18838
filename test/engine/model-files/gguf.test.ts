import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readGguf } from '../../../src/engine/model-files/gguf.js';
import fc from '../../property/fast-check.js';
import { cases } from '../../quick.js';
import { type GgufValue, ggufBytes, llama } from './gguf-bytes.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'dtesn-gguf-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(bytes: Uint8Array) {
  const file = path.join(folder, 'model.gguf');
  await writeFile(file, bytes);
  return readGguf(file);
}

const refused = (bytes: Uint8Array, message: RegExp) =>
  expect(read(bytes)).rejects.toMatchObject({
    code: 'ERR_DTESN_MODEL_FILES',
    message: expect.stringMatching(message),
  });

describe('a complete header', () => {
  test.each([2, 3])('a header of version %i gives the facts of the model', async (version) => {
    expect(await read(ggufBytes(llama, version))).toEqual({
      ...{ architecture: 'llama', name: 'Tiny Llama', hiddenSize: 64, trainedLength: 2048 },
      ...{ vocabSize: 4, tokenizerSize: 4, dtype: 'Q4_K_M' },
    });
  });

  test('the vocabulary size in a header takes precedence over its number of tokens', async () => {
    const header = await read(ggufBytes({ 'llama.vocab_size': { u32: 320 }, ...llama }));
    expect(header).toMatchObject({ vocabSize: 320, tokenizerSize: 4 });
  });

  test('keys of another architecture are ignored', async () => {
    const header = await read(ggufBytes({ ...llama, 'general.architecture': { text: 'qwen2' } }));
    expect(header).toMatchObject({ architecture: 'qwen2', hiddenSize: null, trainedLength: null });
  });

  test('a header without pairs gives no fact', async () => {
    const header = await read(ggufBytes({}));
    expect(Object.values(header).every((value) => value === null)).toBe(true);
  });

  test('a header is read across chunks, and nothing after it is read', async () => {
    const texts = Array.from({ length: 60_000 }, (_, i) => `token ${i}`);
    const bytes = ggufBytes({ ...llama, 'tokenizer.ggml.tokens': { texts } });
    expect(bytes.length).toBeGreaterThan(3 * 256 * 1024);
    const followed = Buffer.concat([bytes, Buffer.alloc(1000, 0xff)]);
    expect(await read(followed)).toMatchObject({ tokenizerSize: 60_000, dtype: 'Q4_K_M' });
  });

  test.each<[GgufValue, string | null]>([
    [{ u32: 0 }, 'float32'],
    [{ u32: 1 }, 'float16'],
    [{ u32: 32 }, 'bfloat16'],
    [{ u32: 9999 }, null],
    [{ text: 'F16' }, null],
  ])('the file type %j is the dtype %s', async (value, dtype) => {
    expect((await read(ggufBytes({ ...llama, 'general.file_type': value }))).dtype).toBe(dtype);
  });

  test.each<GgufValue>([{ u32: 0 }, { u32: 2 ** 32 - 1 }, { f32: 64 }, { text: '64' }, { f32s: [64] }])(
    'the embedding length %j is unknown',
    async (value) => {
      expect((await read(ggufBytes({ ...llama, 'llama.embedding_length': value }))).hiddenSize).toBeNull();
    },
  );
});

describe('a header is refused with a reason', () => {
  const bytes = ggufBytes(llama);
  const patched = (at: number, value: bigint) => {
    const copy = Buffer.from(bytes);
    copy.writeBigUInt64LE(value, at);
    return copy;
  };

  test('a header with another magic, version or byte order is refused', async () => {
    await refused(Buffer.from('{"hidden_size": 64}'), /does not begin with GGUF/);
    await refused(Buffer.alloc(0), /ends within its header/);
    await refused(ggufBytes(llama, 1), /version 1, neither 2 nor 3/);
    await refused(ggufBytes(llama, 0x03000000), /big endian/);
  });

  test('a header with impossible counts or lengths is refused', async () => {
    await refused(patched(8, 2n ** 63n), /declares 9223372036854776000 tensors/);
    await refused(patched(16, 2n ** 40n), /declares 1099511627776 pairs/);
    await refused(patched(24, 2n ** 20n), /declares 1048576 bytes of a key/);
    await refused(ggufBytes({ 'general.name': { text: 'x'.repeat(5000) } }), /5000 bytes of general\.name/);
  });

  test('a header with an array longer than the file is refused', async () => {
    const many = ggufBytes({ a: { f32s: [1] } });
    many.writeBigUInt64LE(1_000_000n, many.length - 4 - 8);
    await refused(many, /ends within its header/);
  });

  test('a header with a value of an unknown type, a repeated key or arrays nested too deeply is refused', async () => {
    const unknown = ggufBytes({ a: { u32: 1 } });
    unknown.writeUInt32LE(13, unknown.length - 8);
    await refused(unknown, /unknown type 13/);
    const name = { 'general.name': { text: 'a' }, 'general.nama': { text: 'b' } } satisfies Record<string, GgufValue>;
    const twice = Buffer.from(ggufBytes(name).toString('latin1').replace('nama', 'name'), 'latin1');
    await refused(twice, /general\.name twice/);
    let deep: GgufValue = { f32s: [] };
    for (let i = 0; i < 4; i++) deep = { nested: [deep] };
    await refused(ggufBytes({ deep }), /nested more than 4 deep/);
  });

  test('a header with too many nested arrays is refused before they are read', async () => {
    const empty: GgufValue = { f32s: [] };
    const nested = (count: number): GgufValue => ({ nested: Array<GgufValue>(count).fill(empty) });
    await refused(ggufBytes({ a: nested(65_537) }), /more than 65536 nested arrays/);
    await refused(ggufBytes({ a: { nested: [nested(60_000), nested(10_000)] } }), /more than 65536 nested arrays/);
    const claimed = ggufBytes({ a: nested(1) });
    claimed.writeBigUInt64LE(60_000_000n, claimed.length - 12 - 8); // the file does not hold them: the count is refused first
    await refused(claimed, /more than 65536 nested arrays/);
  });

  test('a header longer than the bound is refused', async () => {
    const file = path.join(folder, 'long.gguf');
    const long = ggufBytes({ a: { f32s: [1] }, 'general.name': { text: 'never' } });
    long.writeBigUInt64LE(BigInt(20 * 1024 * 1024), 24 + 9 + 4 + 4); // 80 MiB of f32
    await writeFile(file, long);
    await truncate(file, 100 * 1024 * 1024);
    await expect(readGguf(file)).rejects.toThrow(/longer than 67108864 bytes/);
  });

  test('a folder and an absent file are refused', async () => {
    await expect(readGguf(folder)).rejects.toMatchObject({ code: 'ERR_DTESN_MODEL_FILES' });
    await expect(readGguf(path.join(folder, 'absent.gguf'))).rejects.toThrow(/ENOENT/);
  });

  test('every truncated header is refused', async () => {
    // The last pair completes what is asked, so each shorter file misses something.
    for (let length = 0; length < bytes.length; length++) await refused(bytes.subarray(0, length), /ends within/);
  });
});

test('a header with a flipped or inserted byte is read or refused with an error code', async () => {
  const whole = ggufBytes({ ...llama, deep: { nested: [{ texts: ['a', 'b'] }] } });
  const edit = fc.record({ at: fc.nat(whole.length - 1), byte: fc.integer({ min: 0, max: 255 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 8 }), fc.nat(whole.length), async (edits, length) => {
      const bytes = Buffer.from(whole);
      for (const { at, byte } of edits) bytes[at] = byte;
      const outcome = await read(length % 3 === 0 ? bytes.subarray(0, length) : bytes).catch((error) => error.code);
      expect(typeof outcome === 'object' || outcome === 'ERR_DTESN_MODEL_FILES').toBe(true);
    }),
    { numRuns: cases(1000) },
  );
});
