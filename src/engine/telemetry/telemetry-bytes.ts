/**
 * A series of telemetry as bytes.
 *
 *     "DTESNTEL", u32 version 1, u32 length of the header, header (JSON: { samples, columns, restarts }),
 *     f64 times, f64 of each column in the order of the header; NaN is unknown
 *
 * All numbers are little-endian.
 */
export interface SavedTelemetry {
  time: Float64Array;
  columns: Map<string, Float64Array>;
  restarts: number[];
}

const MAGIC = 'DTESNTEL';
const VERSION = 1;
const HEAD = MAGIC.length + 8;

export function joinTelemetry({ time, columns, restarts }: SavedTelemetry): Uint8Array {
  const header = Buffer.from(JSON.stringify({ samples: time.length, columns: [...columns.keys()], restarts }));
  const bytes = new Uint8Array(HEAD + header.length + 8 * time.length * (columns.size + 1));
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from(MAGIC), 0);
  view.setUint32(MAGIC.length, VERSION, true);
  view.setUint32(MAGIC.length + 4, header.length, true);
  bytes.set(header, HEAD);
  let at = HEAD + header.length;
  for (const values of [time, ...columns.values()]) {
    for (const value of values) {
      view.setFloat64(at, value, true);
      at += 8;
    }
  }
  return bytes;
}

/** Null for bytes that are no whole series of this version, or whose times step back. */
export function splitTelemetry(bytes: Uint8Array): SavedTelemetry | null {
  if (bytes.length < HEAD || Buffer.from(bytes.subarray(0, MAGIC.length)).toString('latin1') !== MAGIC) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = view.getUint32(MAGIC.length + 4, true);
  if (view.getUint32(MAGIC.length, true) !== VERSION || HEAD + headerLength > bytes.length) return null;
  const header = headerOf(bytes.subarray(HEAD, HEAD + headerLength));
  if (header === null) return null;
  const { samples, columns: names, restarts } = header;
  const start = HEAD + headerLength;
  if (bytes.length !== start + 8 * samples * (names.length + 1)) return null;
  const column = (index: number) =>
    Float64Array.from({ length: samples }, (_, i) => view.getFloat64(start + 8 * (samples * index + i), true));
  const time = column(0);
  if (!time.every((value, i) => Number.isFinite(value) && (i === 0 || value >= time[i - 1]!))) return null;
  return { time, columns: new Map(names.map((name, i) => [name, column(i + 1)])), restarts };
}

function headerOf(bytes: Uint8Array): { samples: number; columns: string[]; restarts: number[] } | null {
  try {
    const { samples, columns, restarts } = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
    const areNames = Array.isArray(columns) && columns.every((name) => typeof name === 'string');
    const areTimes = Array.isArray(restarts) && restarts.every((time) => Number.isFinite(time));
    if (!Number.isSafeInteger(samples) || (samples as number) < 0 || !areNames || !areTimes) return null;
    return { samples: samples as number, columns, restarts };
  } catch {
    return null;
  }
}
