/** The addon itself, past the checks of TypeScript: whatever is handed to it, the answer is an error and not a crash. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addon } from '../../src/native/index.js';

const shared = (n: number) => new Float32Array(new SharedArrayBuffer(4 * n));
const spec = {
  ...{ units: 3, inputs: 2, spectralRadius: 0.9, inputScaling: 1, biasScaling: 0, topology: 'dense', density: 1 },
  ...{ blockRows: 8, seed: 1, stream: 0 },
};

const detached = new Float32Array(4);
structuredClone(detached.buffer, { transfer: [detached.buffer] });

const anything = fc.oneof(
  fc.anything(),
  fc.constantFrom<unknown>(
    new DataView(new ArrayBuffer(8)),
    new ArrayBuffer(8),
    new SharedArrayBuffer(8),
    new Float64Array(6),
    new Uint8Array(6),
    new Int32Array(2),
    detached,
    Buffer.alloc(12),
    Number.MAX_VALUE,
    2 ** 53,
    -1,
    Symbol('s'),
    new Proxy({}, {}),
  ),
  fc.integer({ min: 0, max: 9 }).map((n) => new Float32Array(n)),
);

/** Calls with three anythings; only errors with a message may come out. */
function survives(call: (...args: unknown[]) => unknown): void {
  fc.assert(
    fc.property(anything, anything, anything, (a, b, c) => {
      try {
        call(a, b, c);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        expect((error as Error).message.length).toBeGreaterThan(5);
      }
    }),
    { numRuns: 400 },
  );
}

test('a reservoir survives any arguments of its methods', () => {
  const reservoir = new addon.Reservoir32(spec, new Float32Array(3).fill(1), shared(3)) as unknown as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  for (const method of ['run', 'runMany', 'stepStreams', 'weights', 'differentials'])
    survives((...args) => reservoir[method]!(...args));
});

test('the constructors survive any arguments', () => {
  const Reservoir = addon.Reservoir32 as unknown as new (...args: unknown[]) => unknown;
  const DeepTree = addon.DeepTree32 as unknown as new (...args: unknown[]) => unknown;
  survives((a, b, c) => new Reservoir(a, b, c));
  survives((a, b) => new Reservoir({ ...spec, units: a, topology: b }, new Float32Array(3), shared(3)));
  survives((a, b, c) => new DeepTree(a, b, c));
  survives((a, b, c) => new DeepTree({ inputs: 1, parentFirst: true, membranes: [a] }, b, c, new Uint8Array(1)));
});

test('the functions survive any arguments', () => {
  const functions = Object.entries(addon as unknown as Record<string, unknown>).filter(
    ([name, value]) => typeof value === 'function' && /^[a-z]/.test(name) && name !== 'checkKernels',
  );
  expect(functions.length).toBeGreaterThan(5);
  for (const [, call] of functions) survives(call as (...args: unknown[]) => unknown);
});

test('a method called on another object is an error', () => {
  const { run } = addon.Reservoir32.prototype as { run: (...args: unknown[]) => unknown };
  expect(() => run.call({}, new Float32Array(2), null)).toThrow();
  expect(() => (addon.Reservoir32 as unknown as () => unknown)()).toThrow();
});
