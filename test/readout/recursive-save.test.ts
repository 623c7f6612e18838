/** A saved and restored RecursiveLeastSquares against one that goes on: equal to the bit, in whatever phase. */
import { describe, expect, test } from 'vitest';
import { RecursiveLeastSquares, type RecursiveLeastSquaresOptions } from '../../src/readout/index.js';
import fc from '../property/fast-check.js';
import { cases } from '../quick.js';
import { sequence } from '../reference/reservoir.js';

type Sized = RecursiveLeastSquaresOptions & { states: number; outputs: number };
const shapes: [string, Sized][] = [
  ['without forgetting', { states: 5, outputs: 1 }],
  ['with forgetting', { states: 30, inputs: 2, outputs: 3, forgetting: 0.98, ridge: 1e-3 }],
  ['without an intercept', { states: 24, outputs: 2, forgetting: 0.999, intercept: false }],
];

function rowsOf({ states, inputs = 0, outputs }: Sized, steps: number) {
  const [x, u, y] = [states, inputs, outputs].map((columns, i) => sequence(columns * steps, i + 1));
  return (from: number, to: number) =>
    [
      x!.subarray(from * states, to * states),
      y!.subarray(from * outputs, to * outputs),
      inputs > 0 ? u!.subarray(from * inputs, to * inputs) : undefined,
    ] as const;
}

test.each(shapes)('%s, learning goes on to the bit after a restore at any of 40 rows', (_name, options) => {
  const rows = rowsOf(options, 80);
  for (let stop = 0; stop <= 40; stop++) {
    const whole = new RecursiveLeastSquares(options);
    whole.update(...rows(0, stop));
    const saved = whole.save();
    expect(whole.save()).toEqual(saved); // saving changes nothing
    const restored = RecursiveLeastSquares.restore(saved);
    expect(restored.steps).toBe(stop);
    expect(restored.save()).toEqual(saved);
    expect(restored.update(...rows(stop, 80)).data).toEqual(whole.update(...rows(stop, 80)).data);
    expect(restored.readout().weights.data).toEqual(whole.readout().weights.data);
    expect(restored.save()).toEqual(whole.save());
  }
});

// A sine excites two directions: the trace of P is bounded, and terms have both signs.
test('the same where P is bounded', () => {
  const options = { states: 6, outputs: 1, forgetting: 0.8, ridge: 0.1 };
  const rows = (from: number, to: number) => {
    const steps = Array.from({ length: to - from }, (_, t) => from + t);
    const x = Float64Array.from(steps.flatMap((t) => Array.from({ length: 6 }, (_, i) => Math.sin(t / 3 + i))));
    return [x, Float64Array.from(steps, (t) => Math.cos(t / 3))] as const;
  };
  for (let stop = 0; stop <= 200; stop += 7) {
    const whole = new RecursiveLeastSquares(options);
    whole.update(...rows(0, stop));
    const restored = RecursiveLeastSquares.restore(whole.save());
    expect(restored.update(...rows(stop, 300)).data).toEqual(whole.update(...rows(stop, 300)).data);
    expect(restored.save()).toEqual(whole.save());
  }
});

test('bytes at any address are read, and not kept', () => {
  const rls = new RecursiveLeastSquares({ states: 3, outputs: 1 });
  rls.update([[1, 2, 3]], [1]);
  const saved = rls.save();
  const moved = new Uint8Array(saved.length + 3).subarray(3);
  moved.set(saved);
  const restored = RecursiveLeastSquares.restore(moved);
  moved.fill(0);
  expect(restored.save()).toEqual(saved);
});

describe('what is refused', () => {
  const rls = new RecursiveLeastSquares({ states: 3, inputs: 1, outputs: 2 });
  rls.update(sequence(15, 1), sequence(10, 2), sequence(5, 3));
  const saved = rls.save();
  const changed = (change: (view: DataView) => void) => {
    const copy = saved.slice();
    change(new DataView(copy.buffer));
    return copy;
  };

  test.each([
    ['no bytes', new Uint8Array(0)],
    ['a cut save', saved.subarray(0, saved.length - 8)],
    ['a save cut within a number', saved.subarray(0, saved.length - 1)],
    ['a header alone', saved.subarray(0, 48)],
    ['more bytes', new Uint8Array(saved.length + 8)],
    ['another mark', changed((view) => view.setUint8(0, 0))],
    ['another version', changed((view) => view.setUint8(4, 2))],
    ['another intercept', changed((view) => view.setUint8(5, 2))],
    ['another shape', changed((view) => view.setUint32(8, 4, true))],
    ['a shape of gigabytes', changed((view) => view.setUint32(8, 2 ** 20, true))],
    ['no states', changed((view) => view.setUint32(8, 0, true))],
    ['a ridge of 0', changed((view) => view.setFloat64(24, 0, true))],
    ['a forgetting of NaN', changed((view) => view.setFloat64(32, NaN, true))],
    ['half a step', changed((view) => view.setFloat64(40, 0.5, true))],
    ['a scale of 0', changed((view) => view.setFloat64(48, 0, true))],
    ['a negative trace', changed((view) => view.setFloat64(56, -1, true))],
    ['16 terms', changed((view) => view.setFloat64(64, 16, true))],
    ['half a term', changed((view) => view.setFloat64(64, 0.5, true))],
    ['a sign of 2', changed((view) => view.setFloat64(72, 2, true))],
    ['a number that is not finite', changed((view) => view.setFloat64(view.byteLength - 8, Infinity, true))],
  ])('%s', (_name, bytes) => {
    expect(() => RecursiveLeastSquares.restore(bytes)).toThrow(RangeError);
  });

  test('what is not a Uint8Array', () => {
    expect(() => RecursiveLeastSquares.restore([1, 2] as never)).toThrow(TypeError);
  });

  test('a closed object is not saved', () => {
    const closed = new RecursiveLeastSquares({ states: 1, outputs: 1 });
    closed.close();
    expect(() => closed.save()).toThrow(expect.objectContaining({ code: 'ERR_DTESN_CLOSED' }));
  });

  test('damaged bytes are refused as a wrong argument, or give an object that works', () => {
    const damage = fc.array(fc.tuple(fc.nat(saved.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
    fc.assert(
      fc.property(damage, (list) => {
        const bytes = saved.slice();
        for (const [at, value] of list) bytes[at] = value;
        let restored: RecursiveLeastSquares;
        try {
          restored = RecursiveLeastSquares.restore(bytes);
        } catch (error) {
          expect(error instanceof RangeError || error instanceof TypeError).toBe(true);
          return;
        }
        expect(restored.save()).toEqual(bytes);
        restored.close();
      }),
      { numRuns: cases(300) },
    );
  });
});
