/** Writes the header of a GGUF file, as ggml's docs/gguf.md draws it. */
export type GgufValue =
  | { u8: number }
  | { u32: number }
  | { u64: number }
  | { f32: number }
  | { text: string }
  | { texts: string[] }
  | { f32s: number[] }
  | { nested: GgufValue[] };

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const f32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
};
const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

/** The number of the type, and the bytes of the value. */
function typed(value: GgufValue): [number, Buffer] {
  if ('u8' in value) return [0, Buffer.of(value.u8)];
  if ('u32' in value) return [4, u32(value.u32)];
  if ('f32' in value) return [6, f32(value.f32)];
  if ('text' in value) return [8, text(value.text)];
  if ('u64' in value) return [10, u64(value.u64)];
  if ('texts' in value) return [9, Buffer.concat([u32(8), u64(value.texts.length), ...value.texts.map(text)])];
  if ('f32s' in value) return [9, Buffer.concat([u32(6), u64(value.f32s.length), ...value.f32s.map(f32)])];
  return [9, Buffer.concat([u32(9), u64(value.nested.length), ...value.nested.map((inner) => typed(inner)[1])])];
}

export function ggufBytes(pairs: Record<string, GgufValue>, version = 3): Buffer {
  const entries = Object.entries(pairs).map(([key, value]) => {
    const [type, bytes] = typed(value);
    return Buffer.concat([text(key), u32(type), bytes]);
  });
  return Buffer.concat([Buffer.from('GGUF'), u32(version), u64(0), u64(entries.length), ...entries]);
}

export const llama: Record<string, GgufValue> = {
  'general.architecture': { text: 'llama' },
  'general.name': { text: 'Tiny Llama' },
  'general.alignment': { u32: 32 },
  'llama.context_length': { u32: 2048 },
  'llama.embedding_length': { u64: 64 },
  'llama.rope.freq_base': { f32: 10_000 },
  'llama.use_parallel_residual': { u8: 1 },
  'tokenizer.ggml.model': { text: 'gpt2' },
  'tokenizer.ggml.tokens': { texts: ['<s>', '</s>', 'Ġtree', '🌲'] },
  'tokenizer.ggml.scores': { f32s: [0, 0, -1, -2] },
  'general.file_type': { u32: 15 },
};
