/**
 * Records on their way to the disk, in one buffer that grows and is transferred. The arrays of a record are copied into it;
 * checksums are left to the thread that writes.
 */
import type { Rows } from './journal-types.js';
import { HEADER_BYTES, padded, type RecordHeader, recordKinds, viewOf, writeHeader } from './record-format.js';

const LEAST_BYTES = 4 * 1024;
const encoder = new TextEncoder();

export interface Records {
  buffer: ArrayBuffer;
  /** Bytes of the buffer that hold records. */
  length: number;
}

type JsonKind = typeof recordKinds.network | typeof recordKinds.create | typeof recordKinds.end;

export class RecordBuffer {
  #bytes = new Uint8Array(0);
  #view = viewOf(this.#bytes);
  #f32 = new Float32Array(this.#bytes.buffer);
  #f64 = new Float64Array(this.#bytes.buffer);
  #length = 0;
  /** Bytes of the buffer before, a guess at what the next one needs. */
  #usual = LEAST_BYTES;

  get length(): number {
    return this.#length;
  }

  /** Bytes that a record of rows takes. */
  static bytesOfRows(rows: Rows, targets: Float64Array | null): number {
    return HEADER_BYTES + padded(rows.byteLength) + (targets?.byteLength ?? 0);
  }

  json(kind: JsonKind, sequence: number, session: number, value: unknown): void {
    const text = encoder.encode(JSON.stringify(value));
    const payloadBytes = padded(text.length);
    const at = this.#begin({ kind, sequence, session, from: 0, count: 0, targets: 0, valueBytes: 0, payloadBytes });
    this.#bytes.set(text, at);
    this.#bytes.fill(32, at + text.length, at + payloadBytes);
  }

  rows(sequence: number, session: number, from: number, count: number, rows: Rows, targets: Float64Array | null): void {
    const targetsAt = padded(rows.byteLength);
    const at = this.#begin({
      kind: recordKinds.rows,
      sequence,
      session,
      from,
      count,
      targets: targets === null ? 0 : targets.length / count,
      valueBytes: rows.BYTES_PER_ELEMENT,
      payloadBytes: targetsAt + (targets?.byteLength ?? 0),
    });
    // Records begin at multiples of 8 bytes, so that values are copied as they are.
    if (rows.BYTES_PER_ELEMENT === 8) this.#f64.set(rows, at / 8);
    else {
      this.#f32.set(rows, at / 4);
      if (rows.byteLength < targetsAt) this.#f32[at / 4 + rows.length] = 0;
    }
    if (targets !== null) this.#f64.set(targets, (at + targetsAt) / 8);
  }

  /** The parts of a snapshot: the length of an index, the index [[name, bytes], ...], the parts; each padded. */
  parts(sequence: number, session: number, offset: number, parts: Record<string, Uint8Array>): void {
    const entries = Object.entries(parts);
    const index = encoder.encode(JSON.stringify(entries.map(([name, bytes]) => [name, bytes.length])));
    const payloadBytes = entries.reduce((sum, [, { length }]) => sum + padded(length), 8 + padded(index.length));
    const kind = recordKinds.parts;
    const start = this.#begin({
      kind,
      sequence,
      session,
      from: offset,
      count: 0,
      targets: 0,
      valueBytes: 0,
      payloadBytes,
    });
    this.#bytes.fill(0, start, start + payloadBytes);
    this.#view.setUint32(start, index.length, true);
    this.#bytes.set(index, start + 8);
    let at = start + 8 + padded(index.length);
    for (const [, bytes] of entries) {
      this.#bytes.set(bytes, at);
      at += padded(bytes.length);
    }
  }

  /** What was put in since the last call; the buffer begins at 0 again. */
  take(): Records {
    const records = { buffer: this.#bytes.buffer, length: this.#length };
    this.#usual = Math.max(LEAST_BYTES, this.#length);
    this.#use(new Uint8Array(0));
    this.#length = 0;
    return records;
  }

  /** Makes room and writes the header; returns where the payload begins. */
  #begin(header: Omit<RecordHeader, 'payloadCrc'>): number {
    const at = this.#length;
    const end = at + HEADER_BYTES + header.payloadBytes;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(padded(Math.max(end, 2 * this.#bytes.length, this.#usual)));
      grown.set(this.#bytes.subarray(0, at));
      this.#use(grown);
    }
    this.#length = end;
    writeHeader(this.#view, at, header);
    return at + HEADER_BYTES;
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#f32 = new Float32Array(bytes.buffer);
    this.#f64 = new Float64Array(bytes.buffer);
  }
}

/** The parts of a payload, which they view. */
export function partsOf(payload: Uint8Array): Record<string, Uint8Array> {
  const indexBytes = viewOf(payload).getUint32(0, true);
  const index = JSON.parse(new TextDecoder().decode(payload.subarray(8, 8 + indexBytes))) as [string, number][];
  const parts: Record<string, Uint8Array> = {};
  let at = 8 + padded(indexBytes);
  for (const [name, bytes] of index) {
    parts[name] = payload.subarray(at, at + bytes);
    at += padded(bytes);
  }
  return parts;
}
