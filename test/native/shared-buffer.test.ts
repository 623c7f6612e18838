import { describe, expect, test } from 'vitest';
import { changesSize, checkView, isShared, requireShared } from '../../src/native/index.js';

const resizable = () => Reflect.construct(ArrayBuffer, [64, { maxByteLength: 128 }]) as ArrayBuffer;
const growable = () => Reflect.construct(SharedArrayBuffer, [64, { maxByteLength: 128 }]) as SharedArrayBuffer;

describe('checkView', () => {
  test('gives back a view of a wanted kind, over ordinary and shared memory', () => {
    for (const view of [new Float32Array(3), new Float32Array(new SharedArrayBuffer(12)), new Float64Array(0)]) {
      expect(checkView(view, 'series', ['Float32Array', 'Float64Array'])).toBe(view);
    }
    const bytes = Buffer.from('ab');
    expect(checkView(bytes, 'series', ['Uint8Array'])).toBe(bytes);
  });

  test.each<[string, unknown, RegExp]>([
    ['another kind', new Int32Array(2), /Expected a Float32Array for series but received a Int32Array of 2/],
    ['a DataView', new DataView(new ArrayBuffer(8)), /Expected a Float32Array for series but received a DataView/],
    ['an array', [1, 2], /but received an array of 2/],
    ['a look-alike', { [Symbol.toStringTag]: 'Float32Array', length: 2 }, /but received an object/],
    ['nothing', undefined, /but received undefined/],
    ['a resizable buffer', new Float32Array(resizable()), /over a buffer of fixed size for series but received/],
    ['a growable buffer', new Float32Array(growable()), /over a buffer of fixed size for series but received/],
  ])('refuses %s', (_, view, message) => {
    const check = () => checkView(view, 'series', ['Float32Array']);
    expect(check).toThrow(TypeError);
    expect(check).toThrow(message);
    expect(check).toThrow(expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT' }));
  });
});

test('requireShared takes shared memory and names what else came', () => {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  expect(isShared(shared)).toBe(true);
  expect(requireShared(shared, 'control')).toBe(shared);
  expect(isShared(new Int32Array(2))).toBe(false);
  expect(() => requireShared(new Int32Array(2), 'control')).toThrow(
    /a view over a SharedArrayBuffer for control but received a ArrayBuffer/,
  );
});

test('changesSize knows buffers made with maxByteLength', () => {
  expect([resizable(), growable()].map(changesSize)).toEqual([true, true]);
  expect([new ArrayBuffer(8), new SharedArrayBuffer(8)].map(changesSize)).toEqual([false, false]);
});
