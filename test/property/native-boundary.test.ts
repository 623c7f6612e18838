/** The addon itself, past the checks of TypeScript: whatever is handed to it, the answer is an error and not a crash. */

import { expect, test } from 'vitest';
import { addon } from '../../src/native/index.js';
import { cases } from '../quick.js';
import fc from './fast-check.js';

type Method = (...args: unknown[]) => unknown;
type Loose = new (...args: unknown[]) => Record<string, Method>;

const shared = (n: number) => new Float32Array(new SharedArrayBuffer(4 * n));
const recurrent = { kind: 'topology', topology: 'dense', spectralRadius: 0.9, density: 1, blockRows: 8 };
const region = {
  ...{ units: 3, law: 'leaky', rate: new Float32Array(3).fill(1), segments: [{ units: 3, activation: 'tanh' }] },
  ...{ recurrent, input: { kind: 'uniform', scaling: 1 }, bias: 0, seed: 1, stream: 0 },
};
const spec = { kind: 'regions', inputs: 2, parentFirst: true, regions: [region] };
const Network = addon().Network32 as unknown as Loose;
const State = addon().State32 as unknown as Loose;

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
    { numRuns: cases(400) },
  );
}

test('a network and its state survive any arguments of their methods', () => {
  const network = new Network(spec);
  const state = new State(network, shared(3), null);
  for (const method of ['runMany', 'features', 'weights', 'blocks', 'carry', 'differentials', 'effectiveRadius'])
    survives((...args) => network[method]!(...args));
  survives((...args) => state['run']!(...args, null));
  survives((a, b, c) => network['runMany']!([new Float32Array(2)], null, a, b, c, null));
  survives((a, b, c) => network['differentials']!(2, new Float32Array(2), a, b, c));
});

test('a table of streams and a forecaster survive any arguments', () => {
  const network = new Network(spec);
  const state = new State(network, shared(3), null);
  const Table = addon().StreamTable32 as unknown as Loose;
  const Forecaster = addon().Forecaster32 as unknown as Loose;
  const readout = new (addon().LinearReadout)(
    { states: 3, inputs: 0, outputs: 2, intercept: true },
    new Float64Array(6),
    new Float64Array(2),
  );
  const views = [shared(6), shared(12), ...[2, 2, 2].map((n) => new Int32Array(new SharedArrayBuffer(4 * n)))];
  const table = new Table(network, ...views, null);
  const forecaster = new Forecaster(network, readout);
  expect(table['step']!(2)).toBe(0);
  expect(forecaster['run']!(state, new Float64Array(2), new Float64Array(6), null)).toBe(3);
  survives((a) => table['step']!(a));
  for (let i = 0; i < views.length; i++) survives((a) => new Table(network, ...views.with(i, a as never), null));
  survives((a, b, c) => new Table(a, b, c));
  survives((a) => new Table(network, ...views, a));
  survives((a, b) => new Forecaster(a, b));
  survives((a) => new Forecaster(network, a));
  survives((a, b, c) => forecaster['run']!(a, b, c));
  survives((a, b) => forecaster['run']!(state, a, b));
  survives((a, b, c) => forecaster['runMany']!(a, null, b, c, new Float64Array(1)));
  survives((a, b, c) => forecaster['runMany']!([state], a, new Float64Array(2), b, c));
  // By chance they are right, and the run is then under way.
  const other = new State(network, shared(3), null);
  survives((a, b) => forecaster['runAsync']!(other, a, b, null, new Int32Array(1)));
  survives((a, b, c) => forecaster['runAsync']!(other, new Float64Array(2), a, b, c));
  survives((a, b, c) => forecaster['runManyAsync']!(a, b, new Float64Array(2), c, new Float64Array(1), null, null));
  const driven = new Forecaster(
    network,
    new (addon().LinearReadout)(
      { states: 3, inputs: 0, outputs: 1, intercept: true },
      new Float64Array(3),
      new Float64Array(1),
    ),
  );
  expect(driven['run']!(state, new Float64Array(1), new Float64Array(3), new Float32Array(3))).toBe(3);
  survives((a, b, c) => driven['run']!(state, a, b, c));
  survives((a, b, c) => driven['runMany']!([state], null, a, b, new Float64Array(1), c));
  table['close']!();
  expect(() => table['step']!(0)).toThrow(/an open table/);
});

test('an operator that works beside its drive is refused for the input and between membranes', () => {
  const square = {
    ...region,
    units: 4,
    rate: new Float32Array(4).fill(1),
    segments: [{ units: 4, activation: 'tanh' }],
  };
  const hadamard = { ...recurrent, topology: 'hadamard' };
  const of = (...regions: object[]) => new Network({ ...spec, inputs: 4, regions });
  expect(() => of({ ...square, input: hadamard })).toThrow(/the kind of a block but received topology/);
  expect(() => of(square, { ...square, parent: 0, coupling: hadamard, feedback: 0 })).toThrow(/the kind of a block/);
});

test('the constructors survive any arguments', () => {
  const of = (more: object) => new Network({ ...spec, regions: [{ ...region, ...more }] });
  survives((a) => new Network(a));
  survives((a, b, c) => new State(a, b, c));
  survives((a, b) => new State(new Network(spec), a, b));
  survives((a, b, c) => of({ units: a, rate: b, segments: c }));
  survives((a, b, c) => of({ recurrent: a, input: b, bias: c }));
  survives((a, b, c) => of({ recurrent: { kind: 'csr', offsets: a, columns: b, values: c } }));
  survives((a, b, c) => of({ recurrent: { ...recurrent, topology: a, blockRows: b }, carry: c }));
  survives(
    (a, b, c) => new Network({ ...spec, regions: [region, { ...region, parent: a, coupling: b, feedback: c }] }),
  );
  survives((a, b, c) => new Network({ kind: 'nvar', inputs: 1, delay: a, order: b, strides: c }));
  survives((a) => new Network({ kind: 'shared', number: a }));
  const number = new (Network as unknown as new (spec: unknown) => { share(): number })(spec).share();
  const features = {
    kind: 'featured',
    inputs: 2,
    number,
    lines: [1, 1],
    differentials: 1,
    offsets: Uint32Array.of(0, 1),
    factors: Uint32Array.of(2),
  };
  survives((a, b, c) => new Network({ ...features, lines: [a, b], number: c }));
  survives((a, b, c) => new Network({ ...features, lines: a, offsets: b, factors: c }));
  survives((a, b) => new Network({ ...features, lines: [a, b] }));
  survives((a, b) => new Network({ ...features, differentials: a, factors: b }));
});

test('the functions survive any arguments', () => {
  const functions = Object.entries(addon() as unknown as Record<string, unknown>).filter(
    ([name, value]) => typeof value === 'function' && /^[a-z]/.test(name) && name !== 'checkKernels',
  );
  expect(functions.length).toBeGreaterThan(5);
  for (const [, call] of functions) survives(call as (...args: unknown[]) => unknown);
});

test('a network that is built later and the trainers survive any arguments', () => {
  const { RidgeTrainer, RecursiveTrainer } = addon() as unknown as Record<string, Loose>;
  const unbuilt = () => new (Network as new (spec: unknown) => Record<string, Method>)(null);
  survives((a, b) => unbuilt()['build']!(a, b));
  survives((a, b, c) =>
    unbuilt()['build']!({ ...spec, regions: [{ ...region, units: a, recurrent: b, bias: c }] }, null),
  );
  survives((a) => new State(unbuilt(), shared(3), a));
  survives((a) => unbuilt()['share']!(a));
  const shape = { states: 3, inputs: 0, outputs: 1, intercept: true };
  const ridge = new RidgeTrainer!(shape, 'qr', 2);
  survives((a, b) => new RidgeTrainer!(shape, a, b));
  survives((a) => new RidgeTrainer!(shape, 'dual', a));
  const state = new State(new Network(spec), shared(3), null);
  const more = ['validate', 'validateAsync', 'spectrum', 'spectrumAsync', 'enter'];
  for (const method of ['add', 'addAsync', 'train', 'trainAsync', 'solve', 'solveAsync', ...more]) {
    survives((...args) => ridge[method]!(...args, new Float32Array(1), new Float32Array(720)));
    survives((...args) => ridge[method]!(state, ...args, new Float32Array(720)));
  }
  survives((a, b, c) => ridge['solve']!(a, b, new Float64Array(1), [c], null));
  survives((a, b) => ridge['validate']!(new Float64Array(1), a, b));
  survives((a, b, c) => ridge['spectrum']!([a, b, c, new Float64Array(1), new Float64Array(3), new Float64Array(1)]));
  const recursive = new RecursiveTrainer!(shape, 1, 1);
  for (const method of ['update', 'updateAsync', 'weights']) {
    survives((...args) => recursive[method]!(...args, new Float64Array(1), new Int32Array(2)));
  }
  ridge['close']!();
  ridge['close']!();
  recursive['close']!();
  for (const call of [() => ridge['solve']!(1), () => recursive['weights']!()]) {
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_DTESN_CLOSED' }));
  }
});

test('a method called on another object is an error', () => {
  const { run } = addon().State32.prototype as unknown as { run: Method };
  expect(() => run.call({}, new Float32Array(2), null)).toThrow();
  expect(() => (addon().State32 as unknown as () => unknown)()).toThrow();
});
