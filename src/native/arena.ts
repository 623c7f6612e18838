/** Arena: one SharedArrayBuffer with named regions, which worker threads map from the buffer and the layout. */
import { types } from 'node:util';
import { z } from 'zod';
import { argumentError, checkOptions, DtesnError, rangeError } from '../errors/index.js';
import { addon } from './addon.js';
import { changesSize } from './shared-buffer.js';

const ALIGNMENT = 64;

/** The typed array of each dtype. */
export interface DtypeViews {
  f32: Float32Array;
  f64: Float64Array;
  i32: Int32Array;
  u32: Uint32Array;
  u8: Uint8Array;
}

/** Element type of a region: 'f32', 'f64', 'i32', 'u32' or 'u8'. */
export type Dtype = keyof DtypeViews;

interface ViewConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: SharedArrayBuffer, offset: number, length: number): DtypeViews[Dtype];
}

const constructors: Record<Dtype, ViewConstructor> = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  u32: Uint32Array,
  u8: Uint8Array,
};

const dtypes = "'f32', 'f64', 'i32', 'u32' or 'u8'";
const sizes = 'an array of whole numbers, 0 or more';
const bytes = 'a whole number of bytes, 0 or more';

// Both message and description: checkOptions takes the first for nested fields, the second for fields of the top.
const dtypeSchema = z.enum(['f32', 'f64', 'i32', 'u32', 'u8'], dtypes).describe(dtypes);
const shapeSchema = z.array(z.int(sizes).min(0, sizes), sizes).describe(sizes);
const bytesSchema = z.int(bytes).min(0, bytes).describe(bytes);

const regionSpecSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z][\w.:-]*$/)
    .describe('a name of letters, digits and _ . : - that starts with a letter'),
  dtype: dtypeSchema,
  shape: shapeSchema,
});

const regionSchema = z.strictObject({ dtype: dtypeSchema, shape: shapeSchema, offset: bytesSchema });

export const arenaLayoutSchema = z.strictObject({
  version: z.literal(1).describe('version 1'),
  byteLength: bytesSchema,
  regions: z.record(z.string(), regionSchema).describe('an object of regions'),
});

/** A region to allocate in an arena: its name, dtype and shape. */
export interface RegionSpec<Name extends string = string, D extends Dtype = Dtype> {
  readonly name: Name;
  readonly dtype: D;
  readonly shape: readonly number[];
}

/** A region of an arena: its name, dtype, shape, and offset in bytes from the start of the buffer. */
export interface Region<D extends Dtype = Dtype> {
  dtype: D;
  shape: number[];
  offset: number;
}

/** Dtypes by the names of regions, so that `view` is typed. */
export type ArenaDtypes = Record<string, Dtype>;
/** The dtypes of the regions of a list of specifications, by their names. */
export type ArenaDtypesOf<Specs extends readonly RegionSpec[]> = { [S in Specs[number] as S['name']]: S['dtype'] };

/** The layout of an arena, plain JSON: where each region lies. Valid for the buffer of that arena only. */
export interface ArenaLayout<D extends ArenaDtypes = ArenaDtypes> {
  version: 1;
  byteLength: number;
  regions: { [N in keyof D]: Region<D[N]> };
}

/**
 * Arena: one SharedArrayBuffer with named regions, which worker threads map from the buffer and the layout.
 *
 *     const arena = Arena.create([{ name: 'states', dtype: 'f32', shape: [1000, 512] }]);
 *     new Worker(file, { workerData: { buffer: arena.buffer, layout: arena.layout } });
 *     // in the worker
 *     const states = Arena.map(workerData.buffer, workerData.layout).view('states');
 *
 * Every region starts at an address that is a multiple of 64 bytes, a cache line and the widest vector: the buffer is
 * 64 bytes longer than the regions need, and the first begins at the first aligned address. Offsets count bytes from
 * the start of the buffer. The layout is plain JSON; it is valid for its buffer only.
 *
 * Reads of a region while another thread writes it may return any mixture of old and new elements; where that matters,
 * synchronise with Atomics on an i32 region.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong specification or layout; DtesnError ERR_DTESN_MEMORY
 * when the buffer cannot be allocated.
 */
export class Arena<D extends ArenaDtypes = ArenaDtypes> {
  /** The shared memory, which worker threads map. */
  readonly buffer: SharedArrayBuffer;
  /** Where each region lies in the buffer: plain JSON. */
  readonly layout: ArenaLayout<D>;
  readonly #views = new Map<keyof D, DtypeViews[Dtype]>();

  private constructor(buffer: SharedArrayBuffer, layout: ArenaLayout<D>) {
    this.buffer = buffer;
    this.layout = layout;
  }

  /** Allocates the regions, all zero. */
  static create<const Specs extends readonly RegionSpec[]>(specs: Specs): Arena<ArenaDtypesOf<Specs>> {
    if (!Array.isArray(specs)) throw argumentError('an array of regions', 'specs', specs);
    const regions: Record<string, Region> = {};
    let end = 0;
    for (const [index, given] of specs.entries()) {
      const { name, dtype, shape } = checkOptions(regionSpecSchema, given, `specs[${index}]`);
      if (Object.hasOwn(regions, name)) throw rangeError('a name used once', `specs[${index}].name`, name);
      regions[name] = { dtype, shape, offset: end };
      end = alignUp(end + byteSize(dtype, shape));
      // Not `end > ...`: a product of huge sizes may be NaN.
      if (!(end < Number.MAX_SAFE_INTEGER - ALIGNMENT)) {
        throw rangeError('a shape that fits in memory', `specs[${index}].shape`, shape.join(' x '));
      }
    }
    const buffer = allocate(end + ALIGNMENT);
    const start = addon().bytesToAlignment(new Uint8Array(buffer));
    for (const region of Object.values(regions)) region.offset += start;
    const layout = { version: 1 as const, byteLength: buffer.byteLength, regions };
    return new Arena(buffer, layout as ArenaLayout<ArenaDtypesOf<Specs>>);
  }

  /** Maps the arena of another thread: the buffer it shares and the layout it sent, checked against each other. */
  static map<D extends ArenaDtypes = ArenaDtypes>(buffer: SharedArrayBuffer, layout: ArenaLayout<D>): Arena<D> {
    if (!types.isSharedArrayBuffer(buffer)) throw argumentError('a SharedArrayBuffer', 'buffer', buffer);
    if (changesSize(buffer)) throw argumentError('a SharedArrayBuffer of fixed size', 'buffer', buffer);
    const checked = checkOptions(arenaLayoutSchema, layout, 'an arena layout');
    if (checked.byteLength !== buffer.byteLength) {
      throw rangeError(`the length of the buffer (${buffer.byteLength})`, 'layout.byteLength', checked.byteLength);
    }
    checkRegions(buffer, checked.regions);
    return new Arena<D>(buffer, checked as unknown as ArenaLayout<D>);
  }

  /** Offset, dtype and shape of a region. */
  region<N extends keyof D & string>(name: N): Region<D[N]> {
    if (!Object.hasOwn(this.layout.regions, name)) {
      throw rangeError(`one of ${Object.keys(this.layout.regions).join(', ') || 'no regions'}`, 'name', name);
    }
    return this.layout.regions[name];
  }

  /** The elements of the region, row-major; every call returns the same object. */
  view<N extends keyof D & string>(name: N): DtypeViews[D[N]] {
    const { dtype, shape, offset } = this.region(name);
    let view = this.#views.get(name);
    if (view === undefined) {
      view = new constructors[dtype](this.buffer, offset, elements(shape));
      this.#views.set(name, view);
    }
    return view as DtypeViews[D[N]];
  }
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function byteSize(dtype: Dtype, shape: readonly number[]): number {
  return elements(shape) * constructors[dtype].BYTES_PER_ELEMENT;
}

function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function allocate(byteLength: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(byteLength);
  } catch (cause) {
    throw new DtesnError(
      'ERR_DTESN_MEMORY',
      `Expected ${byteLength} bytes of shared memory but the allocation failed`,
      {
        cause,
      },
    );
  }
}

/** Regions lie inside the buffer, start at aligned addresses and do not overlap. */
function checkRegions(buffer: SharedArrayBuffer, regions: Record<string, Region>): void {
  const start = buffer.byteLength > 0 ? addon().bytesToAlignment(new Uint8Array(buffer)) : 0;
  const byOffset = Object.entries(regions).sort(([, a], [, b]) => a.offset - b.offset);
  let end = 0;
  for (const [name, { dtype, shape, offset }] of byOffset) {
    const argument = `layout.regions.${name}.offset`;
    if ((offset - start) % ALIGNMENT !== 0)
      throw rangeError(`an address aligned to ${ALIGNMENT} bytes`, argument, offset);
    if (offset < end) throw rangeError(`${end} or more (regions may not overlap)`, argument, offset);
    end = offset + byteSize(dtype, shape);
    if (!(end <= buffer.byteLength)) throw rangeError(`a region inside ${buffer.byteLength} bytes`, argument, offset);
  }
}
