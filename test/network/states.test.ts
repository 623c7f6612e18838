/** Many states of one network: at once, closed in between, in other threads, and what they leave behind. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { DeepTreeModel, Network, Nvar, Reservoir } from '../../src/network/index.js';
import { sequence } from '../reference/reservoir.js';

const shared = (values: ArrayLike<number>) => {
  const copy = new Float32Array(new SharedArrayBuffer(4 * values.length));
  copy.set(values);
  return copy;
};
const sameBits = (a: ArrayBufferView, b: ArrayBufferView) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));
const threads = path.resolve(import.meta.dirname, '../threads');
const execArgv = ['--import', path.join(threads, 'typescript.mjs')];

describe('states of one network', () => {
  test('200 asynchronous runs at once give the bits of one after the other, with aborts and closes between', async () => {
    const network = new Reservoir({ units: 60, inputs: 1, seed: 3, topology: 'dense' });
    const series = Array.from({ length: 200 }, (_, i) => shared(sequence(300 + i, i + 1)));
    const wanted = series.map((one) => {
      const state = network.createState();
      return network.run(one, { state }).data;
    });
    // Seconds of work, so that the aborts come before its end on a busy machine too.
    const long = shared(sequence(4_000_000));
    const states = series.map(() => network.createState());
    const runs = series.map((one, i) => {
      const state = states[i]!;
      if (i % 10 !== 3) {
        const run = network.runAsync(one, { state });
        if (i % 10 === 7) state.close();
        return run;
      }
      const abort = new AbortController();
      setImmediate(() => abort.abort(new Error('enough')));
      return network.runAsync(long, { state, out: null, signal: abort.signal });
    });
    const settled = await Promise.allSettled(runs);
    for (const [i, result] of settled.entries()) {
      if (i % 10 === 3) {
        expect(result.status).toBe('rejected');
      } else {
        const { data } = (result as PromiseFulfilledResult<{ data: Float32Array }>).value;
        expect(sameBits(data, wanted[i]!)).toBe(true);
        expect(sameBits(states[i]!.data, wanted[i]!.subarray(-60))).toBe(true);
      }
    }
  });

  test('a batch takes a state for each series, each with its own gates, and gives the bits of batches of one', async () => {
    const network = new DeepTreeModel({ depth: 3, units: 60, inputs: 1, feedback: 0.3, dtype: 'f32', seed: 4 });
    const make = () =>
      Array.from({ length: 9 }, (_, i) => {
        const state = network.createState();
        state.reset(sequence(60, i + 40));
        state.gates![i % 4] = i % 3 === 0 ? 0 : 1;
        return state;
      });
    const series = Array.from({ length: 9 }, (_, i) => shared(sequence(20 + i, i + 1)));
    const [together, later, apart] = [make(), make(), make()];
    const wanted = network.runBatch(series, { states: together });
    expect(await network.runBatchAsync(series, { states: later })).toEqual(wanted);
    for (const [i, one] of series.entries()) {
      expect(network.runBatch([one], { states: [apart[i]!] })[0]).toEqual(wanted[i]);
      expect(later[i]!.data).toEqual(together[i]!.data);
      expect(apart[i]!.data).toEqual(together[i]!.data);
    }
  });

  test('moments are the sums of the features and of their moduli, alone and in batches', async () => {
    for (const network of [
      new Reservoir({ units: 10, inputs: 1, seed: 1, dtype: 'f64' }),
      new Nvar({ inputs: 1, delay: 3 }),
    ]) {
      const zeros = () => new Float64Array(new SharedArrayBuffer(8 * network.featureSize));
      const moments = () => ({ sum: zeros(), magnitude: zeros() });
      const series = new Float64Array(new SharedArrayBuffer(8 * 40));
      series.set(sequence(40));
      const { data } = network.run(series);
      const wanted = moments();
      for (const [i, x] of data.entries()) {
        wanted.sum[i % network.featureSize]! += x;
        wanted.magnitude[i % network.featureSize]! += Math.abs(x);
      }
      network.reset();
      const got = moments();
      expect(network.run(series, { out: null, moments: got }).rows).toBe(0);
      expect(got).toEqual(wanted);
      network.reset();
      const later = moments();
      await network.runAsync(series, { out: null, moments: later });
      expect(later).toEqual(wanted);
      const each = [moments(), moments()];
      await network.runBatchAsync([series, series.subarray(0, 20)], { out: null, moments: each });
      for (let i = 0; i < network.featureSize; i++) {
        expect(each[0]!.sum[i]).toBeCloseTo(wanted.sum[i]!, 10);
        expect(each[0]!.magnitude[i]).toBeCloseTo(wanted.magnitude[i]!, 10);
      }
    }
  });

  test('copy duplicates a state, reset sets it and close releases it', () => {
    const network = new DeepTreeModel({ depth: 2, units: 20, inputs: 1 });
    network.gates[1] = 0;
    network.run(sequence(9));
    const copy = network.ownState.copy();
    expect(copy.data).toEqual(network.state);
    expect([...copy.gates!]).toEqual([1, 0]);
    copy.reset();
    expect(copy.data.every((x) => x === 0)).toBe(true);
    expect(network.state.some((x) => x !== 0)).toBe(true);
    copy.close();
    expect(() => network.run([1], { state: copy })).toThrow(expect.objectContaining({ code: 'ERR_DTESN_CLOSED' }));
    network.close();
    expect(() => network.run([1])).toThrow(expect.objectContaining({ code: 'ERR_DTESN_CLOSED' }));
    expect(() => network.share()).toThrow(expect.objectContaining({ code: 'ERR_DTESN_CLOSED' }));
  });

  test('one state cannot run twice at once, two states can', async () => {
    const network = new Reservoir({ units: 200, inputs: 1 });
    const state = network.createState();
    const series = shared(sequence(4000));
    const first = network.runAsync(series, { state, out: null });
    const busy = expect.objectContaining({ code: 'ERR_DTESN_BUSY' });
    expect(() => network.run([1], { state })).toThrow(busy);
    expect(() => state.reset()).toThrow(busy);
    expect(() => state.copy()).toThrow(busy);
    expect(() => network.runBatch([[1]], { states: [state] })).toThrow(busy);
    expect(network.run([1]).rows).toBe(1);
    await first;
    expect(network.run([1], { state }).rows).toBe(1);
    const other = network.createState();
    expect(() => network.runBatch([[1], [2]], { states: [other, other] })).toThrow(
      /distinct states, one for each series/,
    );
    expect(() => new Reservoir({ units: 200, inputs: 1 }).run([1], { state })).toThrow(/a state of this reservoir/);
  });
});

describe('sharing', () => {
  test('eight worker threads run one network; one that is terminated in the middle harms none of the others', {
    tags: ['slow'],
  }, async () => {
    const network = new Reservoir({ units: 700, inputs: 1, topology: 'dense', seed: 6 });
    const steps = 600;
    const workerData = { handle: network.share(), steps };
    const wanted = [...network.run(new Float32Array(steps).fill(0.25)).data.subarray(-700)];
    const script = path.join(threads, 'shared-network.ts');
    const workers = Array.from({ length: 8 }, () => new Worker(script, { workerData, execArgv }));
    const reply = (worker: Worker) => new Promise<{ last: number[] }>((resolve) => worker.once('message', resolve));
    await Promise.all(workers.map(reply));
    network.close();
    const [first, ...others] = workers;
    const ends = others.map(async (worker) => {
      const answer = reply(worker);
      worker.postMessage('go');
      return answer;
    });
    first!.postMessage('go');
    setTimeout(() => first!.terminate(), 5);
    for (const { last } of await Promise.all(ends)) expect(last).toEqual(wanted);
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  test('a handle gives every kind back with its fields', () => {
    const tree = new DeepTreeModel({ depth: 3, units: 60, inputs: 2, feedback: 0.1, seed: 2 });
    const same = Network.from(structuredClone(tree.share())) as DeepTreeModel;
    expect(same).toBeInstanceOf(DeepTreeModel);
    expect(same.membranes).toEqual(tree.membranes);
    expect(same.gates).toEqual(tree.gates);
    expect(same.gates).not.toBe(tree.gates);
    expect(same.run(sequence(20)).data).toEqual(tree.run(sequence(20)).data);
    const nvar = Network.from(new Nvar({ inputs: 2, delay: 2 }).share());
    expect(nvar.featureSize).toBe(14);
  });

  test('a handle of a closed network and a value that is not a handle are refused', () => {
    const network = new Reservoir({ units: 4, inputs: 1 });
    const handle = network.share();
    network.close();
    expect(() => Network.from(handle)).toThrow(expect.objectContaining({ code: 'ERR_DTESN_CLOSED' }));
    expect(() => Network.from({} as never)).toThrow(/a handle of network.share\(\)/);
    const open = new Reservoir({ units: 4, inputs: 1 });
    expect(() => Network.from({ ...open.share(), dtype: 'f64' })).toThrow(/handle of an open network/);
    expect(() => Network.from({ ...open.share(), kind: 'Other' })).toThrow(/handle.kind/);
  });
});

/** Runs a script with the sources of this repository; its output, and the milliseconds it took. */
function script(body: string, env: NodeJS.ProcessEnv = {}, args: string[] = []) {
  const source = `
    import { Reservoir } from ${JSON.stringify(path.resolve(import.meta.dirname, '../../src/network/index.ts'))};
    ${body}`;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [...execArgv, ...args, '--input-type=module', '-e', source],
    { encoding: 'utf8', env: { ...process.env, ...env } },
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout.trim();
}

// The sanitizers slow programs down and keep memory that was freed.
describe.skipIf(process.env['DTESN_SANITIZED'])('what runs and networks leave behind', { tags: ['slow'] }, () => {
  const endless = `
    const network = new Reservoir({ units: 512, inputs: 1, topology: 'dense' });
    const series = new Float32Array(new SharedArrayBuffer(4 * 300_000)).fill(0.5);
    network.runAsync(series, { out: null });
    network.runBatchAsync([series, series, series], { out: null });`;

  test('the process exits at once while asynchronous runs are under way', () => {
    const took = script(`${endless}
      setTimeout(() => { const began = performance.now(); process.on('exit', () => {}); globalThis.began = began;
        process.stdout.write(String(Date.now())); process.exit(0); }, 50);`);
    expect(Date.now() - Number(took)).toBeLessThan(1000); // the whole of six runs takes some fifteen seconds
  });

  test('dropped networks are collected when the event loop turns', () => {
    const peak = script(`
      let peak = 0;
      for (let i = 0; i < 40; i++) {
        new Reservoir({ units: 64, inputs: 100_000, seed: i });
        await new Promise((resolve) => setImmediate(resolve));
        peak = Math.max(peak, process.memoryUsage().rss);
      }
      console.log(peak / 2 ** 20);`);
    expect(Number(peak)).toBeLessThan(500); // 40 of them are 1,000 MB
  });

  test('close() gives the memory of a network back at once', () => {
    const grown = script(`
      const rss = () => process.memoryUsage().rss / 2 ** 20;
      const network = new Reservoir({ units: 160, inputs: 100_000 });
      const open = rss();
      network.close();
      console.log(open - rss());`);
    expect(Number(grown)).toBeGreaterThan(55);
  });

  test('long runs leave the threads of libuv to others', () => {
    const order = script(
      `${endless.replace('300_000', '20_000')}
      import { stat } from 'node:fs/promises';
      const run = network.runAsync(series, { state: network.createState(), out: null }).then(() => 'run');
      const file = stat('.').then(() => 'file');
      console.log(await Promise.race([run, file]));
      process.exit(0);`,
      { UV_THREADPOOL_SIZE: '1' },
    );
    expect(order).toBe('file');
  });
});
