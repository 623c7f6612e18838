/**
 * Two copies of the package in one process: objects of one are accepted by the other. Weights can be taken over by handle,
 * and states made for the other's network, only where both copies have loaded the same binary.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn-copies-'));
  for (const name of ['one', 'two', 'other-binary']) {
    const copy = path.join(folder, name);
    mkdirSync(path.join(copy, 'build/Release'), { recursive: true });
    cpSync(path.join(root, 'dist'), path.join(copy, 'dist'), { recursive: true });
    cpSync(path.join(root, 'package.json'), path.join(copy, 'package.json'));
    symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'), 'dir');
    const binary = 'build/Release/dtesn.node';
    const place = name === 'other-binary' ? cpSync : symlinkSync;
    place(path.join(root, binary), path.join(copy, binary));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a module in which `one` and `two` are copies; what it gives to `say` comes back. */
function said(second: string, code: string): unknown {
  const file = path.join(folder, `script-${second}-${Math.random().toString(36).slice(2)}.mjs`);
  writeFileSync(
    file,
    `import * as one from './one/dist/index.js';
     import * as two from './${second}/dist/index.js';
     const say = (value) => console.log(JSON.stringify(value));
     const caught = (call) => { try { return call() } catch ({ code, message }) { return { code, message } } };
     const network = new one.Reservoir({ units: 40, inputs: 1, seed: 7 });
     const series = new Float32Array(new SharedArrayBuffer(4 * 30));
     series.forEach((_, t) => { series[t] = Math.sin(t) });
     const last = (matrix) => [...matrix.data.subarray(-40)];
     const whole = last(network.run(series, { state: network.createState() }));
     const close = (a) => a.length === 40 && a.every((x, i) => Math.abs(x - whole[i]) < 1e-5);
     ${code}`,
  );
  const { stdout, stderr, status } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout);
}

const copies = ['two', 'other-binary'];

test.each(copies)('streams and training of the copy %s take the network of another', (second) => {
  const code = `
    const pool = new two.StreamPool({ model: network, capacity: 2, ring: 30 });
    pool.push('a', series);
    while (pool.step() > 0);
    const trained = two.trainForecaster(network, series, { ridge: 1e-6 });
    say({ isOther: !(network instanceof two.Network), stream: close([...pool.state('a')]), rows: trained.forecast(3).rows });`;
  expect(said(second, code)).toEqual({ isOther: true, stream: true, rows: 3 });
});

test.each(copies)('the copy %s recognises engine errors, gates and histories of another', (second) => {
  const code = `
    const engine = new one.HttpEngine('http://127.0.0.1:9');
    const monitor = new two.EngineMonitor(engine);
    await new Promise((resolve) => monitor.once('observation', resolve));
    const { name } = monitor.state;
    await monitor.close();
    await engine.close();
    const fetcher = new two.SourceFetcher(null);
    const gate = new one.QualityGate({ qualityThreshold: 0.3 });
    const data = await two.fetchMultiSourceData(fetcher, { gate });
    const { threshold } = data.processing_pipelines.quality_gate;
    two.aggregateMultiSourceData(data.sources, new one.SourceHistory());
    const bad = caught(() => two.createDataProcessingPipelines({}, {}, {}, { gate: {} })).message;
    await fetcher.close();
    say({ name, threshold, bad });`;
  const bad = 'Expected a QualityGate for gate but received an object';
  expect(said(second, code)).toEqual({ name: 'loading', threshold: 0.3, bad });
});

test('where both copies have loaded one binary, handles and states go between them', () => {
  const code = `
    const same = two.Network.from(network.share());
    const state = new two.State(network);
    await network.runAsync(series, { state, out: null });
    say({
      kind: same instanceof two.Reservoir,
      handle: last(same.run(series)).every((x, i) => x === whole[i]),
      state: [...state.data].every((x, i) => x === whole[i]) && !state.busy,
    });`;
  expect(said('two', code)).toEqual({ kind: true, handle: true, state: true });
});

test('another binary refuses handles, and networks for a state, of one that it has not made', () => {
  const code = `
    say([caught(() => two.Network.from(network.share())), caught(() => new two.State(network))]);`;
  expect(said('other-binary', code)).toEqual([
    {
      code: 'ERR_DTESN_ARGUMENT',
      message: expect.stringContaining('a network of the addon that this copy of dtesn has loaded for handle'),
    },
    {
      code: 'ERR_DTESN_ARGUMENT',
      message: 'Expected a network of this dtype that this addon made but received an object',
    },
  ]);
});
