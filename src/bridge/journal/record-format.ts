/**
 * A record of a segment or a snapshot: a header of 48 bytes and a payload, each with its own CRC32C, little-endian.
 *
 *      0 u32 magic          4 u32 bytes of payload      8 f64 sequence        16 u32 number of the session
 *     20 u8  kind          21 u8  bytes of a value     24 f64 from            32 u32 count
 *     36 u32 targets       40 u32 CRC of the payload   44 u32 CRC of the header before it
 *
 * Payloads are padded to multiples of 8 bytes, so that rows are read in place. The header names the session also where the
 * payload is damaged. Sequences are consecutive over all segments; a commit record ends each group and repeats, for each
 * session of the group, its offset: it shows whose records a damaged region held.
 */
import { crc32c } from './crc32c.js';

export const HEADER_BYTES = 48;
const MAGIC = 0x4a_53_54_44; // "DTSJ"
/** The version of this format, in the record that begins a file. */
const FORMAT = 1;
const PAYLOAD_CRC_AT = 40;
const HEADER_CRC_AT = 44;

export const recordKinds = {
  /** Begins a file. sequence: the first one of it; session: the next free number; from: the number of the file; count: FORMAT. */
  file: 1,
  /** A JSON payload { fingerprint, definition }. */
  network: 2,
  /** A JSON payload: SessionRecord without definition, in a snapshot also `quarantined`. */
  create: 3,
  /** count x inputs values, padded, then count x targets values of 8 bytes. */
  rows: 4,
  /** A JSON payload: EndedSession. */
  end: 5,
  /** from: the first sequence of the group, sequence: the last; a payload of `count` entries. */
  commit: 6,
  /** In a snapshot: the parts of the session at the offset `from`. */
  parts: 7,
} as const;

const knownKinds: ReadonlySet<number> = new Set(Object.values(recordKinds));

export interface RecordHeader {
  kind: number;
  sequence: number;
  session: number;
  from: number;
  count: number;
  targets: number;
  valueBytes: number;
  payloadBytes: number;
  payloadCrc: number;
}

export const padded = (bytes: number): number => Math.ceil(bytes / 8) * 8;

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The header without its checksums, which `seal` adds. */
export function writeHeader(view: DataView, at: number, header: Omit<RecordHeader, 'payloadCrc'>): void {
  view.setUint32(at, MAGIC, true);
  view.setUint32(at + 4, header.payloadBytes, true);
  view.setFloat64(at + 8, header.sequence, true);
  view.setUint32(at + 16, header.session, true);
  view.setUint32(at + 20, header.kind | (header.valueBytes << 8), true);
  view.setFloat64(at + 24, header.from, true);
  view.setUint32(at + 32, header.count, true);
  view.setUint32(at + 36, header.targets, true);
}

/** Fills in both checksums of the record at `at`; returns where it ends. */
export function seal(bytes: Uint8Array, view: DataView, at: number): number {
  const end = at + HEADER_BYTES + view.getUint32(at + 4, true);
  view.setUint32(at + PAYLOAD_CRC_AT, crc32c(bytes, at + HEADER_BYTES, end), true);
  view.setUint32(at + HEADER_CRC_AT, crc32c(bytes, at, at + HEADER_CRC_AT), true);
  return end;
}

/** The header as it stands, its checksums unchecked. */
export function headerAt(view: DataView, at: number): RecordHeader {
  return {
    payloadBytes: view.getUint32(at + 4, true),
    sequence: view.getFloat64(at + 8, true),
    session: view.getUint32(at + 16, true),
    kind: view.getUint8(at + 20),
    valueBytes: view.getUint8(at + 21),
    from: view.getFloat64(at + 24, true),
    count: view.getUint32(at + 32, true),
    targets: view.getUint32(at + 36, true),
    payloadCrc: view.getUint32(at + PAYLOAD_CRC_AT, true),
  };
}

/** The header at `at`, or null where no whole header with a true checksum stands. */
export function readHeader(bytes: Uint8Array, view: DataView, at: number): RecordHeader | null {
  if (at + HEADER_BYTES > bytes.length || view.getUint32(at, true) !== MAGIC) return null;
  if (view.getUint32(at + HEADER_CRC_AT, true) !== crc32c(bytes, at, at + HEADER_CRC_AT)) return null;
  const header = headerAt(view, at);
  return knownKinds.has(header.kind) && header.payloadBytes % 8 === 0 ? header : null;
}

/** What a commit record says of a session: rows it had at the end of the group. */
export interface CommitEntry {
  session: number;
  offset: number;
  ended: boolean;
}

const ENTRY_BYTES = 16;

/** A whole, sealed commit record. */
export function commitRecord(first: number, last: number, entries: readonly CommitEntry[]): Uint8Array {
  const payloadBytes = ENTRY_BYTES * entries.length;
  const bytes = new Uint8Array(HEADER_BYTES + payloadBytes);
  const view = viewOf(bytes);
  const count = entries.length;
  const kind = recordKinds.commit;
  writeHeader(view, 0, {
    kind,
    sequence: last,
    from: first,
    count,
    session: 0,
    targets: 0,
    valueBytes: 0,
    payloadBytes,
  });
  entries.forEach(({ session, offset, ended }, index) => {
    const at = HEADER_BYTES + ENTRY_BYTES * index;
    view.setUint32(at, session, true);
    view.setUint32(at + 4, ended ? 1 : 0, true);
    view.setFloat64(at + 8, offset, true);
  });
  seal(bytes, view, 0);
  return bytes;
}

export function commitEntries(payload: Uint8Array): CommitEntry[] {
  const view = viewOf(payload);
  return Array.from({ length: Math.floor(payload.length / ENTRY_BYTES) }, (_, index) => ({
    session: view.getUint32(ENTRY_BYTES * index, true),
    ended: view.getUint32(ENTRY_BYTES * index + 4, true) === 1,
    offset: view.getFloat64(ENTRY_BYTES * index + 8, true),
  }));
}

/** A whole, sealed record that begins a file. */
export function fileRecord(file: number, nextSequence: number, nextSession: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = viewOf(bytes);
  writeHeader(view, 0, {
    kind: recordKinds.file,
    sequence: nextSequence,
    session: nextSession,
    from: file,
    count: FORMAT,
    targets: 0,
    valueBytes: 0,
    payloadBytes: 0,
  });
  seal(bytes, view, 0);
  return bytes;
}

/** Throws where the file that this record begins was written by a version with another format. */
export function checkFormat({ count, from }: RecordHeader): void {
  if (count !== FORMAT) throw new Error(`file ${from} has format ${count}, this version reads format ${FORMAT}`);
}

/** The JSON of a payload, which is padded with spaces. */
export function jsonOf(payload: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(payload));
}
