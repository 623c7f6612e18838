/**
 * The header of a GGUF file, versions 2 and 3, little endian: what it says of the model, without its tensors.
 *
 *     'GGUF' | version u32 | tensors u64 | pairs u64 | pairs x (key: string, type: u32, value)
 *     string = length u64, bytes; array = element type u32, length u64, elements
 *
 * Read in chunks of 256 KiB until every fact is known or the pairs end; values that are not needed are skipped.
 * Limits: 64 MiB of header, 65,536 pairs, keys of 65,535 bytes, texts of 4096 bytes, arrays nested 4 deep,
 * 65,536 nested arrays in all.
 * Errors: DtesnError ERR_DTESN_MODEL_FILES for anything else than such a file, whole.
 * Source: ggml, docs/gguf.md; the numbers of general.file_type are llama.h's enum llama_ftype.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { DtesnError } from '../../errors/index.js';

export interface GgufHeader {
  architecture: string | null;
  name: string | null;
  /** <architecture>.embedding_length. */
  hiddenSize: number | null;
  /** <architecture>.context_length. */
  trainedLength: number | null;
  /** <architecture>.vocab_size, else the number of tokens. */
  vocabSize: number | null;
  /** Length of tokenizer.ggml.tokens. */
  tokenizerSize: number | null;
  /** What general.file_type stands for: 'float16', 'bfloat16', 'Q4_K_M'. */
  dtype: string | null;
}

const limits = {
  ...{ header: 64 * 1024 * 1024, pairs: 65_536, tensors: 2 ** 24, key: 65_535, text: 4096 },
  ...{ depth: 4, nested: 65_536 },
};
const chunkBytes = 256 * 1024;

/** Bytes of the types 0 to 12; text (8) and array (9) have no fixed size. */
const widths = [1, 1, 2, 2, 4, 4, 4, 1, null, null, 8, 8, 8] as const;
const textType = 8;
const arrayType = 9;

const fileTypes: Record<number, string> = {
  ...{ 0: 'float32', 1: 'float16', 2: 'Q4_0', 3: 'Q4_1', 7: 'Q8_0', 8: 'Q5_0', 9: 'Q5_1', 10: 'Q2_K', 11: 'Q3_K_S' },
  ...{ 12: 'Q3_K_M', 13: 'Q3_K_L', 14: 'Q4_K_S', 15: 'Q4_K_M', 16: 'Q5_K_S', 17: 'Q5_K_M', 18: 'Q6_K', 19: 'IQ2_XXS' },
  ...{ 20: 'IQ2_XS', 21: 'Q2_K_S', 22: 'IQ3_XS', 23: 'IQ3_XXS', 24: 'IQ1_S', 25: 'IQ4_NL', 26: 'IQ3_S', 27: 'IQ3_M' },
  ...{ 28: 'IQ2_S', 29: 'IQ2_M', 30: 'IQ4_XS', 31: 'IQ1_M', 32: 'bfloat16', 36: 'TQ1_0', 37: 'TQ2_0' },
};

export async function readGguf(file: string): Promise<GgufHeader> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const found = await handle.stat();
    if (!found.isFile()) throw new Error('not a regular file');
    return header(await pairsOf(new ByteReader(handle, found.size)));
  } catch (cause) {
    const why = (cause as Error).message;
    throw new DtesnError('ERR_DTESN_MODEL_FILES', `Cannot read the GGUF header of ${file}: ${why}`, { cause });
  } finally {
    await handle?.close();
  }
}

/** The whole numbers and texts that are asked for, and the length of the array of tokens. */
type Pairs = Map<string, number | string>;

const tokensKey = 'tokenizer.ggml.tokens';
const askedKeys = /^general\.(architecture|name|file_type)$|\.(embedding_length|context_length|vocab_size)$/;

async function pairsOf(bytes: ByteReader): Promise<Pairs> {
  if ((await bytes.text(4)) !== 'GGUF') throw new Error('it does not begin with GGUF');
  const version = await bytes.u32();
  if (version !== 2 && version !== 3) {
    throw new Error(version === 0x03000000 ? 'it is big endian' : `it has version ${version}, neither 2 nor 3`);
  }
  await bytes.count('tensors', limits.tensors);
  const count = await bytes.count('pairs', limits.pairs);
  const pairs: Pairs = new Map();
  for (let i = 0; i < count && !isComplete(pairs); i++) {
    const key = await bytes.text(await bytes.count('bytes of a key', limits.key));
    const value = await readValue(bytes, await bytes.u32(), key);
    if (value === null) continue;
    if (pairs.has(key)) throw new Error(`it has ${key} twice`);
    pairs.set(key, value);
  }
  return pairs;
}

function isComplete(pairs: Pairs): boolean {
  const architecture = pairs.get('general.architecture');
  const keys = ['general.name', 'general.file_type', tokensKey].concat(
    ['embedding_length', 'context_length'].map((key) => `${architecture}.${key}`),
  );
  return keys.every((key) => pairs.has(key));
}

async function readValue(bytes: ByteReader, type: number, key: string): Promise<number | string | null> {
  if (type === arrayType) {
    const length = await skipArray(bytes, 1);
    return key === tokensKey ? length : null;
  }
  const asked = askedKeys.test(key);
  if (type === textType) {
    if (asked) return bytes.text(await bytes.count(`bytes of ${key}`, limits.text));
    await bytes.skip(await bytes.count(`bytes of ${key}`, limits.header));
    return null;
  }
  const width = widthOf(type);
  if (asked && (type === 4 || type === 5)) return bytes.u32(); // a negative i32 becomes too large to be a size
  if (asked && (type === 10 || type === 11)) return bytes.u64();
  await bytes.skip(width);
  return null;
}

async function skipArray(bytes: ByteReader, depth: number): Promise<number> {
  if (depth > limits.depth) throw new Error(`its arrays are nested more than ${limits.depth} deep`);
  const type = await bytes.u32();
  const length = await bytes.count('elements of an array', limits.header);
  if (type === textType) {
    await bytes.skipTexts(length);
  } else if (type === arrayType) {
    bytes.nest(length);
    for (let i = 0; i < length; i++) await skipArray(bytes, depth + 1);
  } else {
    await bytes.skip(length * widthOf(type));
  }
  return length;
}

function widthOf(type: number): number {
  const width = widths[type];
  if (typeof width !== 'number') throw new Error(`it has a value of the unknown type ${type}`);
  return width;
}

function header(pairs: Pairs): GgufHeader {
  const text = (key: string) => {
    const value = pairs.get(key);
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const architecture = text('general.architecture');
  const size = (key: string) => {
    const value = pairs.get(key);
    return typeof value === 'number' && value > 0 && value < 2 ** 31 ? value : null;
  };
  const tokens = size(tokensKey);
  const fileType = pairs.get('general.file_type');
  return {
    architecture,
    name: text('general.name'),
    hiddenSize: size(`${architecture}.embedding_length`),
    trainedLength: size(`${architecture}.context_length`),
    vocabSize: size(`${architecture}.vocab_size`) ?? tokens,
    tokenizerSize: tokens,
    dtype: typeof fileType === 'number' ? (fileTypes[fileType] ?? null) : null,
  };
}

/** A file read forward, a chunk at a time. */
class ByteReader {
  readonly #file: FileHandle;
  readonly #end: number;
  /** Where the buffer begins in the file, and the next byte in the buffer. */
  #start = 0;
  #at = 0;
  #buffer: Buffer = Buffer.alloc(0);
  #nested = 0;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#end = size;
  }

  async u32(): Promise<number> {
    return (await this.#take(4)).readUInt32LE();
  }

  async u64(): Promise<number> {
    return Number((await this.#take(8)).readBigUInt64LE());
  }

  async count(what: string, most: number): Promise<number> {
    const claimed = await this.u64();
    if (claimed > most) throw new Error(`it declares ${claimed} ${what}, more than ${most}`);
    return claimed;
  }

  /** Counts arrays inside of arrays: millions of empty ones would be waited for one by one. */
  nest(arrays: number): void {
    this.#nested += arrays;
    if (this.#nested > limits.nested) throw new Error(`it has more than ${limits.nested} nested arrays`);
  }

  async text(length: number): Promise<string> {
    return (await this.#take(length)).toString('utf8');
  }

  async skip(length: number): Promise<void> {
    this.#within(length);
    this.#at += length;
  }

  /** Hundreds of thousands of short texts: those that lie in the buffer are stepped over without waiting. */
  async skipTexts(count: number): Promise<void> {
    for (let left = count; left > 0; left--) {
      while (left > 1 && this.#at + 8 <= this.#buffer.length && this.#buffer.readUInt32LE(this.#at + 4) === 0) {
        this.#at += 8 + this.#buffer.readUInt32LE(this.#at);
        left--;
      }
      await this.skip(await this.count('bytes of a text', limits.header));
    }
  }

  async #take(length: number): Promise<Buffer> {
    this.#within(length);
    if (this.#at + length > this.#buffer.length) {
      this.#start += this.#at;
      this.#at = 0;
      const wanted = Math.min(Math.max(length, chunkBytes), this.#end - this.#start);
      const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(wanted), 0, wanted, this.#start);
      this.#buffer = buffer.subarray(0, bytesRead);
      if (bytesRead < length) throw new Error('it ends within its header');
    }
    this.#at += length;
    return this.#buffer.subarray(this.#at - length, this.#at);
  }

  #within(length: number): void {
    const next = this.#start + this.#at + length;
    if (next > limits.header) throw new Error(`its header is longer than ${limits.header} bytes`);
    if (next > this.#end) throw new Error('it ends within its header');
  }
}
