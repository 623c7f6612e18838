/** What is closed can be disposed of, and closing twice is harmless. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import * as dtesn from '../src/index.js';

interface Closable {
  close(): unknown;
  [Symbol.asyncDispose](): Promise<void>;
  [Symbol.dispose]?(): void;
}

const classes = Object.entries(dtesn).filter(
  ([, value]) =>
    typeof value === 'function' && typeof (value as { prototype?: Closable }).prototype?.close === 'function',
) as [string, { prototype: Closable }][];

const engine = () => new dtesn.HttpEngine('http://127.0.0.1:9');
const network = () => new dtesn.Reservoir({ units: 4, inputs: 1 });
const esn = () => new dtesn.Esn({ network: network() });
const classifier = () => new dtesn.EsnClassifier({ network: network() });

/** One of each class that closes; null where it is made by another one of the list. */
const make: Record<string, (() => unknown) | null> = {
  AphroditeEngine: () => new dtesn.AphroditeEngine('http://127.0.0.1:9'),
  ClassifierEnsemble: () => new dtesn.ClassifierEnsemble({ members: 2, make: classifier }),
  DeepTreeModel: () => new dtesn.DeepTreeModel({ depth: 2, units: 8, inputs: 1 }),
  DtesnProcessor: () => dtesn.DtesnProcessor.create({ engine: null, config: { units: 16 } }),
  EarlyClassifier: () => new dtesn.EarlyClassifier({ network: network() }),
  EarlyStream: () => {
    const series = Array.from({ length: 6 }, (_, i) => Float64Array.from([i % 2, i, 0, 1]));
    return new dtesn.EarlyClassifier({ network: network() }).fit(series, [0, 1, 0, 1, 0, 1]).stream();
  },
  EmbeddedEngine: () => dtesn.EmbeddedEngine.start(),
  EngineMonitor: () => new dtesn.EngineMonitor(engine()),
  EngineSimulator: () => dtesn.EngineSimulator.start(),
  Ensemble: () => new dtesn.Ensemble({ members: 2, make: esn }),
  Es2n: () => new dtesn.Es2n({ units: 4, inputs: 1 }),
  Esn: esn,
  EsnClassifier: classifier,
  EsnStream: () => esn().stream(),
  EuSn: () => new dtesn.EuSn({ units: 4, inputs: 1 }),
  Featured: () => new dtesn.Featured({ network: network(), features: ['states', 'inputs'] }),
  Fleet: () => new dtesn.Fleet([engine()]),
  HttpEngine: engine,
  LocalTokenizer: null,
  Network: null,
  Nvar: () => new dtesn.Nvar({ inputs: 1, delay: 2 }),
  ReadoutTrainer: () => new dtesn.ReadoutTrainer(network(), { outputs: 1 }),
  RecursiveLeastSquares: () => new dtesn.RecursiveLeastSquares({ states: 2, outputs: 1 }),
  Reservoir: network,
  ReservoirLoad: () => {
    const model = new dtesn.Reservoir({ units: 4, inputs: 5 });
    return new dtesn.ReservoirLoad(new dtesn.StreamPool({ model, capacity: 1 }), 'an engine');
  },
  Ridge: () => new dtesn.Ridge({ states: 2, outputs: 1 }),
  SourceFetcher: () => new dtesn.SourceFetcher(null),
  State: () => network().createState(),
};

describe('what closes', () => {
  test('every exported class with close() is tried here', () => {
    expect(classes.map(([name]) => name).sort()).toEqual(Object.keys(make).sort());
  });

  test.each(classes)(
    '%s has Symbol.asyncDispose, and Symbol.dispose where close() is synchronous',
    (_, { prototype }) => {
      expect(prototype[Symbol.asyncDispose]).toBeTypeOf('function');
      const isAsync = Object.prototype.toString.call(prototype.close) === '[object AsyncFunction]';
      expect(prototype[Symbol.dispose] === undefined).toBe(isAsync);
    },
  );

  test.each(Object.entries(make).filter(([, one]) => one !== null))(
    '%s is closed twice without harm',
    async (_, one) => {
      const opened = (await one!()) as Closable;
      await opened.close();
      await opened.close();
      await opened[Symbol.asyncDispose]();
      opened[Symbol.dispose]?.();
    },
  );

  test.each(Object.entries(make).filter(([, one]) => one !== null))(
    '%s is disposed of without close()',
    async (_, one) => {
      const opened = (await one!()) as Closable;
      await opened[Symbol.asyncDispose]();
      await opened.close();
    },
  );

  test('engines that are only a part of one can be disposed of', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-dispose-'));
    const files = dtesn.modelFilesEngine(folder);
    await files[Symbol.asyncDispose]!();
    await files.close();
  });

  test('a disposed network is closed', () => {
    const disposed = network();
    disposed[Symbol.dispose]();
    expect(() => disposed.run([1])).toThrow(expect.objectContaining({ code: 'ERR_DTESN_CLOSED' }));
  });
});
