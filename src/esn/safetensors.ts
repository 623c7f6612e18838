/**
 * Files of models: a safetensors file whose metadata hold a JSON description, written atomically and read with every byte checked.
 *
 *     u64 length of the header | header, JSON padded by spaces | numbers, little-endian
 *     header   {"__metadata__":{"dtesn":KIND,"version":"1","checksum":"SHA-256","model":JSON},"NAME":{"dtype","shape","data_offsets"},...}
 *
 * The checksum is that of the whole file with zeros in its own place, and is compared before the header is parsed. Sizes are checked
 * against the size of the file before memory is allocated.
 *
 * Errors: DtesnError ERR_DTESN_FILE for a file that is cut, altered, of another kind or of a later version; those of the system.
 * Source: https://huggingface.co/docs/safetensors, "Format".
 */
import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { DtesnError } from '../errors/index.js';
import { checkMemory } from '../numeric/index.js';

/** Numbers of a file, by name. */
export type Tensor = Float64Array | Float32Array | Uint32Array | Uint8Array;

const VERSION = 1;
const PREFIX = 8;
const zeros = '0'.repeat(64);
const begin = /^\{"__metadata__":\{"dtesn":"(\w{1,40})","version":"(\d{1,9})","checksum":"([0-9a-f]{64})",/;
/** The begin of every file of a model, of any version. */
const MOST_BEGIN = 256;

/** Arrays by the name that the format has for their elements. */
export const tensorKinds = { F64: Float64Array, F32: Float32Array, U32: Uint32Array, U8: Uint8Array } as const;
export type TensorType = keyof typeof tensorKinds;

export function tensorTypeOf(tensor: Tensor): TensorType {
  const types = { Float64Array: 'F64', Float32Array: 'F32', Uint32Array: 'U32', Uint8Array: 'U8' } as const;
  return types[tensor[Symbol.toStringTag]];
}

interface Entry {
  dtype: TensorType;
  shape: number[];
  data_offsets: [number, number];
}

/** Writes a model beside the file and puts it in its place; the file is the old or the new one at any time. */
export async function writeModelFile(
  file: string,
  kind: string,
  model: string,
  tensors: ReadonlyMap<string, Tensor>,
): Promise<void> {
  const { header, ordered, mark } = headerOf(kind, model, tensors);
  const hash = createHash('sha256').update(header);
  for (const tensor of ordered) hash.update(bytesOf(tensor));
  header.write(hash.digest('hex'), mark);
  const beside = `${file}.${process.pid}.${randomUUID()}.tmp`;
  try {
    const handle = await open(beside, 'wx');
    try {
      await writeAll(handle, header);
      for (const tensor of ordered) await writeAll(handle, bytesOf(tensor));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
  } catch (error) {
    await unlink(beside).catch(() => undefined);
    throw error;
  }
  await syncFolder(path.dirname(file));
}

function headerOf(kind: string, model: string, tensors: ReadonlyMap<string, Tensor>) {
  // Wide elements first, so that each stands at a multiple of its size.
  const sorted = [...tensors].sort(([, a], [, b]) => b.BYTES_PER_ELEMENT - a.BYTES_PER_ELEMENT);
  const entries: Record<string, Entry> = {};
  let at = 0;
  for (const [name, tensor] of sorted) {
    const dtype = tensorTypeOf(tensor);
    entries[name] = { dtype, shape: [tensor.length], data_offsets: [at, at + tensor.byteLength] };
    at += tensor.byteLength;
  }
  const metadata = { dtesn: kind, version: String(VERSION), checksum: zeros, model };
  const text = Buffer.from(JSON.stringify({ __metadata__: metadata, ...entries }));
  const header = Buffer.alloc(PREFIX + Math.ceil(text.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - PREFIX));
  text.copy(header, PREFIX);
  return { header, ordered: sorted.map(([, tensor]) => tensor), mark: header.indexOf(zeros) };
}

/** The description and the numbers of a file of this kind. */
export async function readModelFile(file: string, kind: string) {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const [start, length] = await readBegin(handle, file, size);
    const found = begin.exec(start);
    if (found === null) throw fileError(file, 'is no model that save() wrote');
    const [, ofKind, version, checksum] = found as unknown as [string, string, string, string];
    if (Number(version) !== VERSION) {
      throw fileError(
        file,
        `has version ${version} of this format, and this version of dtesn reads version ${VERSION}`,
      );
    }
    checkMemory(2 * size, `the model in ${file}`);
    // One allocation of its own, so that the numbers stand at multiples of their sizes.
    const header = new Uint8Array(PREFIX + length);
    const data = new Uint8Array(size - header.length);
    await readAll(handle, header, 0, file);
    await readAll(handle, data, header.length, file);
    checkSum(file, header, data, checksum);
    if (ofKind !== kind) throw fileError(file, `holds an ${ofKind}, not an ${kind}`);
    return { ...partsOf(file, header.subarray(PREFIX), data), header: text(header.subarray(PREFIX)) };
  } finally {
    await handle.close();
  }
}

async function readBegin(handle: FileHandle, file: string, size: number): Promise<[string, number]> {
  const start = new Uint8Array(Math.min(size, PREFIX + MOST_BEGIN));
  await readAll(handle, start, 0, file);
  if (start.length < PREFIX) throw fileError(file, `is no model that save() wrote: it has ${size} bytes`);
  const length = new DataView(start.buffer).getBigUint64(0, true);
  if (length > BigInt(size - PREFIX)) {
    throw fileError(file, `is cut, or no model: its header would have ${length} bytes, and the file has ${size}`);
  }
  return [text(start.subarray(PREFIX)), Number(length)];
}

function checkSum(file: string, header: Uint8Array, data: Uint8Array, checksum: string): void {
  const mark = PREFIX + text(header.subarray(PREFIX, PREFIX + MOST_BEGIN)).indexOf(checksum);
  const blank = Buffer.from(header);
  blank.write(zeros, mark);
  const found = createHash('sha256').update(blank).update(data).digest('hex');
  if (found !== checksum) throw fileError(file, 'was cut or altered after it was saved: its checksum is another');
}

function partsOf(file: string, header: Uint8Array, data: Uint8Array) {
  const { __metadata__: metadata, ...entries } = parsed(file, text(header)) as Record<string, unknown>;
  const { model } = metadata as { model?: unknown };
  if (typeof model !== 'string') throw fileError(file, 'has no description of its model');
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Partial<Entry>;
    const Kind = tensorKinds[dtype as TensorType];
    const [from, to] = Array.isArray(offsets) ? offsets : [];
    const length = Array.isArray(shape) && shape.length === 1 ? shape[0] : undefined;
    const fits =
      Kind !== undefined &&
      Number.isSafeInteger(from) &&
      Number.isSafeInteger(length) &&
      from! >= 0 &&
      length! >= 0 &&
      to! <= data.length &&
      to! - from! === length! * Kind.BYTES_PER_ELEMENT &&
      from! % Kind.BYTES_PER_ELEMENT === 0;
    if (!fits)
      throw fileError(file, `has numbers ${JSON.stringify(name.slice(0, 80))} of a form that save() never writes`);
    tensors.set(name, new Kind(data.buffer as ArrayBuffer, from, length));
  }
  return { model: parsed(file, model), tensors };
}

function parsed(file: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw fileError(file, 'has a header that is no JSON', cause);
  }
}

export function fileError(file: string, what: string, cause?: unknown): DtesnError {
  return new DtesnError('ERR_DTESN_FILE', `${file} ${what}`, cause === undefined ? undefined : { cause });
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

function bytesOf(tensor: Tensor): Uint8Array {
  // A copy where the memory is shared, which neither hash nor file takes.
  const view = new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength);
  return tensor.buffer instanceof SharedArrayBuffer ? view.slice() : view;
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
}

async function readAll(handle: FileHandle, into: Uint8Array, position: number, file: string): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await handle.read(into, at, into.length - at, position + at);
    if (bytesRead === 0) throw fileError(file, 'was cut while it was read');
    at += bytesRead;
  }
}

/** The new name outlives a loss of power; systems that cannot open a folder do so by themselves. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null);
  try {
    await handle?.sync().catch(() => undefined);
  } finally {
    await handle?.close();
  }
}
