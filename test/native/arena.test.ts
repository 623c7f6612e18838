import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { DtesnError } from '../../src/errors/index.js';
import { Arena, type ArenaLayout, addon, arenaLayoutSchema, type RegionSpec } from '../../src/native/index.js';
import fc from '../property/fast-check.js';

const typescript = new URL('../threads/typescript.mjs', import.meta.url).href;

const specs = [
  { name: 'states', dtype: 'f32', shape: [3, 5] },
  { name: 'moments', dtype: 'f64', shape: [7] },
  { name: 'control', dtype: 'i32', shape: [4] },
  { name: 'words', dtype: 'u32', shape: [] },
  { name: 'bytes', dtype: 'u8', shape: [13] },
  { name: 'nothing', dtype: 'f32', shape: [0, 9] },
] as const;

test('each region is a zeroed typed array of its dtype and shape', () => {
  const arena = Arena.create(specs);
  expectTypeOf(arena.view('states')).toEqualTypeOf<Float32Array>();
  expectTypeOf(arena.view('moments')).toEqualTypeOf<Float64Array>();
  expect(arena.view('states')).toEqual(new Float32Array(15));
  expect(arena.view('moments')).toEqual(new Float64Array(7));
  expect(arena.view('control')).toEqual(new Int32Array(4));
  expect(arena.view('words')).toEqual(new Uint32Array(1));
  expect(arena.view('bytes')).toEqual(new Uint8Array(13));
  expect(arena.view('nothing').length).toBe(0);
  expect(arena.view('states')).toBe(arena.view('states'));
  expect(arena.region('states')).toMatchObject({ dtype: 'f32', shape: [3, 5] });
});

test('every region starts at an address that is a multiple of 64, in every arena', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  const dtype = fc.constantFrom('f32', 'f64', 'i32', 'u32', 'u8');
  const region = fc.record({ name, dtype, shape: fc.array(fc.nat(9), { maxLength: 3 }) }) as fc.Arbitrary<RegionSpec>;
  fc.assert(
    fc.property(fc.uniqueArray(region, { selector: (r) => r.name, maxLength: 8 }), (regions) => {
      const arena = Arena.create(regions);
      expect(arena.layout.byteLength).toBe(arena.buffer.byteLength);
      for (const { name, shape } of regions) {
        const view = arena.view(name);
        expect(view.length).toBe(shape.reduce((a, b) => a * b, 1));
        // A view without elements has no address.
        if (view.length > 0) {
          expect(addon().bytesToAlignment(new Uint8Array(arena.buffer, view.byteOffset, view.byteLength))).toBe(0);
        }
      }
      const mapped = Arena.map(arena.buffer, JSON.parse(JSON.stringify(arena.layout)) as ArenaLayout);
      expect(mapped.layout).toEqual(arena.layout);
    }),
  );
});

test('regions do not overlap: writing one leaves the others', () => {
  const arena = Arena.create(specs);
  arena.view('states').fill(1);
  arena.view('moments').fill(2);
  arena.view('control').fill(3);
  arena.view('bytes').fill(4);
  expect(new Set(arena.view('states'))).toEqual(new Set([1]));
  expect(new Set(arena.view('moments'))).toEqual(new Set([2]));
  expect(new Set(arena.view('control'))).toEqual(new Set([3]));
  expect([...arena.view('words')]).toEqual([0]);
});

test('a worker thread maps the arena and reads what the main thread writes, while it writes', async () => {
  const rounds = 50;
  const arena = Arena.create([
    { name: 'turn', dtype: 'i32', shape: [3] },
    { name: 'states', dtype: 'f32', shape: [100] },
  ]);
  const worker = new Worker(new URL('./arena-reader.ts', import.meta.url), {
    workerData: { buffer: arena.buffer, layout: arena.layout, rounds },
    execArgv: ['--import', typescript],
  });
  try {
    expect(await once(worker, 'message')).toEqual(['ready']);
    const turn = arena.view('turn');
    for (let round = 1; round <= rounds; round++) {
      arena.view('states').fill(round);
      Atomics.store(turn, 0, round);
      Atomics.notify(turn, 0);
      expect(Atomics.wait(turn, 1, round - 1, 10_000)).not.toBe('timed-out');
      expect(Atomics.load(turn, 2)).toBe(100 * round);
    }
  } finally {
    await worker.terminate();
  }
});

describe('wrong specifications', () => {
  const create = (given: unknown) => () => Arena.create(given as RegionSpec[]);
  const a = { name: 'a', dtype: 'f32', shape: [1] };

  test.each<[string, unknown, RegExp]>([
    ['no array', {}, /an array of regions for specs/],
    ['a null region', [null], /an object for the options of specs\[0\] but received null/],
    ['an unknown dtype', [{ ...a, dtype: 'f16' }], /'f32', 'f64', 'i32', 'u32' or 'u8' for dtype .* "f16"/],
    ['an empty name', [{ ...a, name: '' }], /a name of letters.* for name/],
    ['a name that is no plain key', [{ ...a, name: '__proto__' }], /a name of letters.* for name/],
    ['a name used twice', [a, a], /a name used once for specs\[1\]\.name .* "a"/],
    ['a negative size', [{ ...a, shape: [2, -1] }], /whole numbers, 0 or more for shape\.1 but received -1/],
    ['a NaN size', [{ ...a, shape: [Number.NaN] }], /whole numbers, 0 or more for shape\.0 but received NaN/],
    ['a number for a shape', [{ ...a, shape: 4 }], /an array of whole numbers, 0 or more for shape but received 4/],
    ['a size that no memory has', [{ ...a, shape: [2 ** 52, 8] }], /fits in memory for specs\[0\]\.shape/],
    ['sizes without a product', [{ ...a, shape: [...Array(21).fill(2 ** 52), 0] }], /fits in memory/],
    ['an unknown option', [{ ...a, size: 1 }], /Unknown option size of specs\[0\]/],
  ])('%s is refused by name', (_, given, message) => {
    expect(create(given)).toThrow(message);
    expect(create(given)).toThrow(expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT' }));
  });

  test('memory that the machine does not give is an error with its cause', () => {
    const error = expect.objectContaining({ code: 'ERR_DTESN_MEMORY', cause: expect.any(RangeError) });
    expect(create([{ ...a, shape: [2 ** 48] }])).toThrow(error);
    expect(create([{ ...a, shape: [2 ** 48] }])).toThrow(DtesnError);
  });

  test('an unknown region names those there are', () => {
    const arena = Arena.create([{ name: 'states', dtype: 'f32', shape: [1] }]);
    expect(() => arena.view('toString' as 'states')).toThrow(
      /one of states for name but received the string "toString"/,
    );
  });
});

describe('wrong layouts', () => {
  const arena = Arena.create(specs);
  const changed = (change: (layout: typeof arena.layout) => void): ArenaLayout => {
    const layout = structuredClone(arena.layout);
    change(layout);
    return layout as unknown as ArenaLayout;
  };

  test.each<[string, ArenaLayout, RegExp]>([
    ['a layout of another version', changed((l) => Object.assign(l, { version: 2 })), /version 1 for version .* 2/],
    ['the length of another buffer', changed((l) => (l.byteLength += 64)), /layout\.byteLength/],
    ['an offset off the alignment', changed((l) => (l.regions.bytes.offset += 8)), /aligned to 64 bytes/],
    ['an overlap', changed((l) => (l.regions.moments.offset -= 64)), /may not overlap.* layout\.regions\.moments/],
    ['a region past the end', changed((l) => (l.regions.nothing.offset += 6400)), /a region inside \d+ bytes/],
    ['a region too large', changed((l) => (l.regions.nothing.shape = [9, 9])), /a region inside \d+ bytes/],
    ['a negative offset', changed((l) => (l.regions.bytes.offset = -64)), /whole number of bytes, 0 or more/],
    ['a NaN size', changed((l) => (l.regions.bytes.shape = [Number.NaN])), /whole numbers, 0 or more/],
    ['no regions', changed((l) => Reflect.deleteProperty(l, 'regions')), /an object of regions for regions/],
    ['null', null as unknown as ArenaLayout, /an object for the options of an arena layout/],
  ])('%s is refused', (_, layout, message) => {
    expect(() => Arena.map(arena.buffer, layout)).toThrow(message);
    expect(() => Arena.map(arena.buffer, layout)).toThrow(expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT' }));
  });

  test('only a SharedArrayBuffer of fixed size is mapped', () => {
    const ordinary = new ArrayBuffer(arena.buffer.byteLength) as unknown as SharedArrayBuffer;
    expect(() => Arena.map(ordinary, arena.layout)).toThrow(/a SharedArrayBuffer for buffer .* a ArrayBuffer/);
    const growable = Reflect.construct(SharedArrayBuffer, [64, { maxByteLength: 128 }]) as SharedArrayBuffer;
    expect(() => Arena.map(growable, arena.layout)).toThrow(/of fixed size for buffer/);
    const empty = new SharedArrayBuffer(0);
    expect(() => Arena.map(empty, { version: 1, byteLength: 0, regions: {} })).not.toThrow();
  });

  test('the layout is plain JSON that its schema accepts', () => {
    expect(arenaLayoutSchema.parse(JSON.parse(JSON.stringify(arena.layout)))).toEqual(arena.layout);
  });
});
