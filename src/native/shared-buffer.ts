/**
 * Checks of memory passed to native code: a view of an expected kind over a buffer of fixed size.
 *
 * Growable and resizable buffers are refused (their views may change length under native code, and a growable
 * SharedArrayBuffer makes every read from JavaScript some fifty times slower), and so are DataViews and plain arrays. A
 * view of a detached buffer has length 0, which the shape check rejects. Asynchronous calls need shared memory: an
 * ordinary buffer could be transferred while they run.
 *
 * Errors: TypeError ERR_DTESN_ARGUMENT.
 */
import { types } from 'node:util';
import { argumentError } from '../errors/index.js';

interface Views {
  Float32Array: Float32Array;
  Float64Array: Float64Array;
  Int32Array: Int32Array;
  Uint32Array: Uint32Array;
  Uint8Array: Uint8Array;
}

export type ViewKind = keyof Views;

const isKind: Record<ViewKind, (value: unknown) => boolean> = {
  Float32Array: types.isFloat32Array,
  Float64Array: types.isFloat64Array,
  Int32Array: types.isInt32Array,
  Uint32Array: types.isUint32Array,
  Uint8Array: types.isUint8Array,
};

/** Returns the view after checking its kind and that its buffer has a fixed size. */
export function checkView<K extends ViewKind>(view: unknown, argument: string, kinds: readonly K[]): Views[K] {
  if (!isOneOf(view, kinds)) throw argumentError(`a ${kinds.join(' or ')}`, argument, view);
  const { buffer } = view;
  if (changesSize(buffer)) {
    throw argumentError(`a ${kinds.join(' or ')} over a buffer of fixed size`, argument, buffer);
  }
  return view;
}

function isOneOf<K extends ViewKind>(view: unknown, kinds: readonly K[]): view is Views[K] {
  for (const kind of kinds) if (isKind[kind](view)) return true;
  return false;
}

/** Whether the buffer of the view is a SharedArrayBuffer. */
export function isShared(view: ArrayBufferView): boolean {
  return types.isSharedArrayBuffer(view.buffer);
}

/** Returns the view after checking that its buffer is shared. */
export function requireShared<V extends ArrayBufferView>(view: V, argument: string): V {
  if (!isShared(view)) throw argumentError('a view over a SharedArrayBuffer', argument, view.buffer);
  return view;
}

/** Whether the buffer was made with `maxByteLength`. */
export function changesSize(buffer: ArrayBufferLike): boolean {
  const { resizable, growable } = buffer as { resizable?: boolean; growable?: boolean };
  return resizable === true || growable === true;
}
