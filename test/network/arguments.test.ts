/** Every bad argument is a named error and the process lives. */
import { describe, expect, test } from 'vitest';
import { Reservoir, type ReservoirOptions } from '../../src/network/index.js';

const make = (options: object) => () => new Reservoir(options as ReservoirOptions);
const good = { units: 4, inputs: 2 };

describe('options', () => {
  test.each([
    [
      'units 0',
      { ...good, units: 0 },
      RangeError,
      'Expected a whole number from 1 to 16777216 for units but received 0',
    ],
    ['units NaN', { ...good, units: NaN }, TypeError, /units but received NaN/],
    ['units a string', { ...good, units: '4' }, TypeError, /for units but received the string "4"/],
    ['units missing', { inputs: 2 }, TypeError, /for units but received undefined/],
    ['inputs 0', { ...good, inputs: 0 }, RangeError, /for inputs but received 0/],
    ['leak 1.5', { ...good, leak: 1.5 }, RangeError, /Expected a number in \(0, 1\], or one for each unit for leak/],
    ['leak of another length', { ...good, leak: [1, 1] }, RangeError, /leak with 4 elements \(units\) but received 2/],
    ['leak NaN', { ...good, leak: NaN }, Error, /for leak/],
    ['radius 0', { ...good, spectralRadius: 0 }, RangeError, /for spectralRadius but received 0/],
    ['radius infinite', { ...good, spectralRadius: Infinity }, TypeError, /for spectralRadius but received Infinity/],
    [
      'density negative',
      { ...good, density: -0.1 },
      RangeError,
      /Expected a number in \(0, 1\] for density but received -0.1/,
    ],
    ['density with dense', { ...good, topology: 'dense', density: 0.5 }, RangeError, /density/],
    ['topology unknown', { ...good, topology: 'ring' }, Error, /Expected 'dense', 'sparse'.* for topology/],
    ['dtype unknown', { ...good, dtype: 'f16' }, Error, /for dtype/],
    ['seed negative', { ...good, seed: -1 }, RangeError, /for seed/],
    ['a misspelt option', { ...good, spectralradius: 1 }, TypeError, /did you mean spectralRadius/],
    ['null', null, TypeError, /Expected an object for the options of Reservoir but received null/],
    ['a huge size', { units: 16_777_216, inputs: 1, topology: 'dense' }, Error, /available memory/],
    ['block-sparse beyond its indices', { units: 70_000, inputs: 1, topology: 'block-sparse' }, RangeError, /65536/],
  ])('%s is refused by name', (_name, options, kind, message) => {
    expect(make(options as object)).toThrow(message);
    expect(make(options as object)).toThrow(kind);
    expect(make(options as object)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^ERR_DTESN_/) }));
  });
});

describe('given weights', () => {
  const f64 = (rows: number, cols: number) => ({ rows, cols, data: new Float64Array(rows * cols) });
  test.each([
    ['not square', { recurrent: f64(2, 3), input: f64(2, 1) }, /2 x 2 elements but received 2 x 3/],
    ['input of other rows', { recurrent: f64(2, 2), input: f64(3, 1) }, /2 x 1 elements but received 3 x 1/],
    ['bias of another length', { recurrent: f64(2, 2), input: f64(2, 1), bias: [1] }, /bias with 2/],
    [
      'data of another length',
      { recurrent: { rows: 2, cols: 2, data: new Float64Array(3) }, input: f64(2, 1) },
      /2 x 2/,
    ],
    ['data an array', { recurrent: { rows: 1, cols: 1, data: [1] }, input: f64(1, 1) }, /Float32Array or Float64Array/],
    ['NaN', { recurrent: { rows: 1, cols: 1, data: new Float64Array([NaN]) }, input: f64(1, 1) }, /finite/],
    ['nothing', {}, /weights/],
  ])('given weights are refused: %s', (_name, weights, message) => {
    expect(make({ weights })).toThrow(message);
    expect(make({ weights })).toThrow(expect.objectContaining({ code: expect.stringMatching(/^ERR_DTESN_/) }));
  });
});

describe('series and out', () => {
  const detached = new Float32Array(4);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const resizable = new Float32Array(
    new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(16, { maxByteLength: 32 }),
  );
  test.each([
    ['a wrong number of elements', new Float32Array(3), undefined, /2 features \(inputs of this reservoir\)/],
    ['a wrong number of columns', { rows: 1, cols: 3, data: new Float32Array(3) }, undefined, /2 features/],
    ['rows of another length', [[1, 2, 3]], undefined, /2 features/],
    ['a string', 'text', undefined, /Float32Array or Float64Array for series/],
    ['strings inside', [['a', 'b']], undefined, /numbers for series\[0\]/],
    ['NaN inside', new Float32Array([1, NaN]), undefined, /series \(step 0, feature 1\) but received NaN/],
    ['a DataView', new DataView(new ArrayBuffer(8)), undefined, /for series/],
    ['a resizable buffer', resizable, undefined, /fixed size for series/],
    ['null', null, undefined, /for series/],
    ['an out of another length', new Float32Array(2), new Float32Array(3), /out with 4 elements/],
    ['an out of another dtype', new Float32Array(2), new Float64Array(4), /Float32Array for out/],
    ['a detached out', new Float32Array(2), detached, /out with 4 elements/],
  ])('a run of %s is refused, and the state stays', (_name, series, out, message) => {
    const reservoir = new Reservoir(good);
    const before = [...reservoir.state];
    expect(() => reservoir.run(series as never, out ? { out: out as never } : {})).toThrow(message);
    expect([...reservoir.state]).toEqual(before);
  });

  test('a detached series has no steps', () => {
    expect(new Reservoir(good).run(detached).rows).toBe(0);
  });

  test('an asynchronous run refuses ordinary memory', async () => {
    const reservoir = new Reservoir(good);
    await expect(reservoir.runAsync(new Float32Array(2))).rejects.toThrow(/SharedArrayBuffer/);
    await expect(reservoir.runAsync([[1, 2]], { out: new Float32Array(4) })).rejects.toThrow(/SharedArrayBuffer/);
  });

  test('a state of another length or not finite is refused', () => {
    const reservoir = new Reservoir(good);
    expect(() => reservoir.reset([1])).toThrow(/4 elements/);
    expect(() => reservoir.reset([1, 2, 3, NaN])).toThrow(/element 3/);
    expect([...reservoir.state]).toEqual([0, 0, 0, 0]);
  });
});
