/**
 * Frames: series as bodies of application/octet-stream, little-endian floats in row-major order.
 *
 *     content-length   shape x bytes of the dtype, to the byte; required
 *     x-dtesn-dtype    f32 or f64
 *     x-dtesn-shape    "steps,features" or "count,steps,features", each 1 or more
 *     x-dtesn-from     offset of the first row in a session; absent where there is none
 *
 * The shape is checked against the length before memory is allocated. The body is copied once, from the chunks of the socket
 * into shared memory, where native code can read it in place.
 *
 * Errors: BridgeError body_too_large (413) beyond `maxBytes`; malformed (400) for fields that are missing or wrong, a length
 * that does not fit the shape, a body shorter or longer than it announced; impossible (422) for a value that is not finite,
 * with its index; the error of the body's own stream.
 */
import { type FloatDtype, type Floats, sharedFloats } from '../../native/index.js';
import { BridgeError, MAX_FRAME_BYTES } from '../messages/index.js';

export const FRAME_TYPE = 'application/octet-stream';
const MAX_OFFSET = Number.MAX_SAFE_INTEGER;

export type FrameDtype = FloatDtype;
const bytesOf: Record<FrameDtype, number> = { f32: 4, f64: 8 };

/** Fields of a request or an answer, names in lower case as Node gives them. */
export type FrameFields = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface FrameShape {
  dtype: FrameDtype;
  /** Series in the frame; null where its shape is "steps,features". */
  count: number | null;
  steps: number;
  features: number;
  /** Of x-dtesn-from; null where the field is absent. */
  from: number | null;
  bytes: number;
}

export interface Frame extends FrameShape {
  /** All values, on shared memory. */
  values: Floats;
}

/** The series of a frame, in order, each as a matrix on the memory of the frame. */
export function seriesOfFrame({
  values,
  count,
  steps,
  features,
}: Frame): { rows: number; cols: number; data: Floats }[] {
  const size = steps * features;
  return Array.from({ length: count ?? 1 }, (_, i) => ({
    rows: steps,
    cols: features,
    data: values.subarray(i * size, (i + 1) * size),
  }));
}

/** Reads and checks the fields, before anything of the body is read. */
export function frameShape(fields: FrameFields, maxBytes = MAX_FRAME_BYTES): FrameShape {
  const dtype = one(fields, 'x-dtesn-dtype');
  if (dtype !== 'f32' && dtype !== 'f64') throw malformed('x-dtesn-dtype', 'f32 or f64', dtype);
  const announced = whole(one(fields, 'content-length'), 'content-length', 0);
  if (announced > maxBytes) {
    throw new BridgeError('body_too_large', `A frame has at most ${maxBytes} bytes, this one has ${announced}`);
  }
  const shape = one(fields, 'x-dtesn-shape');
  const sizes = (shape ?? '').split(',').map((size) => whole(size.trim(), 'x-dtesn-shape', 1));
  if (sizes.length !== 2 && sizes.length !== 3) {
    throw malformed('x-dtesn-shape', '"steps,features" or "count,steps,features"', shape);
  }
  const [features, steps, count = null] = sizes.reverse() as [number, number, number?];
  const bytes = sizes.reduce((product, size) => product * size, bytesOf[dtype]);
  if (bytes !== announced) {
    throw malformed('content-length', `${bytes} bytes (${shape} of ${dtype})`, String(announced));
  }
  const from = one(fields, 'x-dtesn-from');
  return { dtype, count, steps, features, bytes, from: from === undefined ? null : whole(from, 'x-dtesn-from', 0) };
}

/** Reads a frame. `body` gives the chunks of the socket, such as an IncomingMessage does. */
export async function readFrame(
  fields: FrameFields,
  body: AsyncIterable<Uint8Array>,
  { maxBytes = MAX_FRAME_BYTES }: { maxBytes?: number | undefined } = {},
): Promise<Frame> {
  const shape = frameShape(fields, maxBytes);
  const values = sharedFloats(shape.dtype, shape.bytes / bytesOf[shape.dtype]);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, shape.bytes);
  let filled = 0;
  for await (const chunk of body) {
    if (filled + chunk.length > shape.bytes) {
      throw malformed('the body', `${shape.bytes} bytes`, `${filled + chunk.length} or more`);
    }
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  if (filled < shape.bytes) throw malformed('the body', `${shape.bytes} bytes`, String(filled));
  checkFinite(values, shape);
  return { ...shape, values };
}

/** An answer as a frame: its fields and its body, on the memory of the values. */
export function writeFrame(
  values: Floats,
  { count = null, steps, features, from = null }: Pick<FrameShape, 'steps' | 'features'> & Partial<FrameShape>,
): { fields: Record<string, string>; body: Uint8Array } {
  const shape = count === null ? [steps, features] : [count, steps, features];
  const elements = shape.reduce((product, size) => product * size, 1);
  if (elements !== values.length) {
    throw new BridgeError('internal', `A frame of ${shape.join(' x ')} cannot hold ${values.length} values`);
  }
  return {
    fields: {
      'content-type': FRAME_TYPE,
      'content-length': String(values.byteLength),
      'x-dtesn-dtype': values.BYTES_PER_ELEMENT === 4 ? 'f32' : 'f64',
      'x-dtesn-shape': shape.join(','),
      ...(from !== null && { 'x-dtesn-from': String(from) }),
    },
    body: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}

function one(fields: FrameFields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || typeof value === 'string') return value;
  throw malformed(name, 'one value', `${value.length}`);
}

/** Decimal digits only: '1e3', '+1', '0x10' and '' are refused. */
function whole(text: string | undefined, field: string, least: number): number {
  const value = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= MAX_OFFSET) return value;
  throw malformed(field, `a whole number, ${least} or more`, text);
}

function malformed(field: string, expected: string, received: string | undefined): BridgeError {
  const came = received === undefined ? 'it is missing' : `received ${received.slice(0, 64)}`;
  return new BridgeError('malformed', `Expected ${expected} for ${field}: ${came}`);
}

function checkFinite(values: Floats, { steps, features }: FrameShape): void {
  for (let index = 0; index < values.length; index++) {
    if (Number.isFinite(values[index])) continue;
    const row = Math.floor(index / features) % steps;
    const series = Math.floor(index / (steps * features));
    throw new BridgeError(
      'impossible',
      `Expected finite numbers but element ${index} is ${values[index]} (series ${series}, step ${row}, feature ${index % features})`,
      { details: { index } },
    );
  }
}
