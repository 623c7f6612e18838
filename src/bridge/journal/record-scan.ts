/**
 * Reads the records of a file in order, over damage: where no true header stands, the next one is looked for at each multiple
 * of 8 bytes.
 */
import { crc32c } from './crc32c.js';
import { HEADER_BYTES, type RecordHeader, readHeader, viewOf } from './record-format.js';

export interface ScannedRecord {
  header: RecordHeader;
  payload: Uint8Array;
  /** Whether the checksum of the payload is true. */
  sound: boolean;
}

/** Yields each record, and null for each region between records that holds none. */
export function* scanRecords(bytes: Uint8Array): Generator<ScannedRecord | null> {
  const view = viewOf(bytes);
  let inDamage = false;
  for (let at = 0; at < bytes.length; ) {
    const header = readHeader(bytes, view, at);
    const end = at + HEADER_BYTES + (header?.payloadBytes ?? 0);
    if (header === null || end > bytes.length) {
      if (!inDamage) yield null;
      inDamage = true;
      at += 8;
      continue;
    }
    inDamage = false;
    const payload = bytes.subarray(at + HEADER_BYTES, end);
    yield { header, payload, sound: crc32c(payload) === header.payloadCrc };
    at = end;
  }
}
