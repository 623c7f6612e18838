/** Sessions that learn, beside recursive least squares written plainly. */
import { describe, expect, test } from 'vitest';
import { buildNetwork } from '../../../src/bridge/sessions/index.js';
import { LinearReadout } from '../../../src/index.js';
import { folder, lists, rowsOf, start, tree } from './fixtures.js';

const RIDGE = 1e-3;
const targets = { outputs: 2, ridge: RIDGE };
const targetsOf = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => [Math.sin(0.3 * (from + i + 1)) * 0.7, Math.cos(0.2 * (from + i))]);

/** Predictions before each row is learned: y = P x, W += y e' / d, P -= y y' / d with x the state and a 1. */
function plain(states: number[][], wanted: number[][]) {
  const size = states[0]!.length + 1;
  const outputs = wanted[0]!.length;
  const p = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, k) => (i === k ? 1 / RIDGE : 0)));
  const w = Array.from({ length: size }, () => new Array<number>(outputs).fill(0));
  const predictions = states.map((state, t) => {
    const x = [...state, 1];
    const y = p.map((row) => row.reduce((sum, value, k) => sum + value * x[k]!, 0));
    const d = 1 + x.reduce((sum, value, k) => sum + value * y[k]!, 0);
    const told = wanted[t]!.map((_, m) => x.reduce((sum, value, k) => sum + value * w[k]![m]!, 0));
    for (let i = 0; i < size; i++) {
      for (let m = 0; m < outputs; m++) w[i]![m]! += (y[i]! * (wanted[t]![m]! - told[m]!)) / d;
      for (let k = 0; k < size; k++) p[i]![k]! -= (y[i]! * y[k]!) / d;
    }
    return told;
  });
  return { predictions, w };
}

const far = (a: number[][], b: number[][]) =>
  Math.max(...a.flatMap((row, i) => row.map((value, k) => Math.abs(value - b[i]![k]!))));

describe('a session that learns', () => {
  test('answers the predictions before each row is learned, and has the weights of the plain law', async () => {
    const service = await start();
    await service.create({ id: 'states' });
    await service.create({ id: 'a', targets });
    const rows = rowsOf(0, 80);
    const states = lists((await service.steps('states', { from: 0, rows })).outputs);
    const answer = await service.steps('a', { from: 0, rows, targets: targetsOf(0, 80) });
    const { predictions, w } = plain(states, targetsOf(0, 80));
    expect(far(lists(answer.outputs), predictions)).toBeLessThan(1e-6);
    const readout = await service.readout('a');
    expect(readout).toMatchObject({ id: 'a', offset: 80, learned: 80, stopped: null });
    expect(far([...lists(readout.weights), [...readout.bias]], w)).toBeLessThan(1e-5);
  });

  test('has the running error of its predictions beside that of persistence', async () => {
    const service = await start();
    await service.create({ id: 'a', targets });
    expect(await service.readout('a')).toMatchObject({ learned: 0, error: null, persistence: null });
    const wanted = targetsOf(0, 60);
    const { outputs } = await service.steps('a', { from: 0, rows: rowsOf(0, 60), targets: wanted });
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const errors = lists(outputs).map((row, t) => mean(row.map((value, m) => (wanted[t]![m]! - value) ** 2)));
    const still = wanted.slice(1).map((row, t) => mean(row.map((value, m) => (value - wanted[t]![m]!) ** 2)));
    const { error, persistence } = await service.readout('a');
    expect(error).toBeCloseTo(mean(errors), 10);
    expect(persistence).toBeCloseTo(mean(still), 10);
  });

  test('does not depend to the bit on how rows are divided into requests', async () => {
    const service = await start();
    await service.create({ id: 'whole', targets });
    await service.create({ id: 'parts', targets });
    const whole = await service.steps('whole', { from: 0, rows: rowsOf(0, 100), targets: targetsOf(0, 100) });
    const parts: number[][] = [];
    for (let at = 0; at < 100; at += 9) {
      const count = Math.min(9, 100 - at);
      const request = { from: at, rows: rowsOf(at, count), targets: targetsOf(at, count) };
      parts.push(...lists((await service.steps('parts', request)).outputs));
    }
    expect(parts).toEqual(lists(whole.outputs));
    const [a, b] = [await service.readout('whole'), await service.readout('parts')];
    expect({ ...b, id: 0, epoch: 0 }).toEqual({ ...a, id: 0, epoch: 0 });
  });

  test('predicts rows without targets by its readout, and learns nothing of them', async () => {
    const service = await start();
    await service.create({ id: 'states' });
    await service.create({ id: 'a', targets });
    const states = lists((await service.steps('states', { from: 0, rows: rowsOf(0, 60) })).outputs);
    await service.steps('a', { from: 0, rows: rowsOf(0, 50), targets: targetsOf(0, 50) });
    const { weights, bias } = await service.readout('a');
    const readout = new LinearReadout({ states: 40, weights: { ...weights }, bias });
    const { outputs } = await service.steps('a', { from: 50, rows: rowsOf(50, 10) });
    const { data } = readout.apply(states.slice(50));
    expect(far([[...outputs.data]], [[...data]])).toBeLessThan(1e-12);
    expect((await service.readout('a')).learned).toBe(50);
  });

  test('skips the targets of rows below the offset', async () => {
    const service = await start();
    await service.create({ id: 'a', targets });
    await service.create({ id: 'b', targets });
    await service.steps('a', { from: 0, rows: rowsOf(0, 10), targets: targetsOf(0, 10) });
    await service.steps('a', { from: 5, rows: rowsOf(5, 10), targets: targetsOf(5, 10) });
    await service.steps('b', { from: 0, rows: rowsOf(0, 15), targets: targetsOf(0, 15) });
    expect((await service.readout('a')).weights).toEqual((await service.readout('b')).weights);
  });

  test('stops where P loses positive definiteness: it keeps its weights and says why', async () => {
    const service = await start();
    await service.create({ id: 'a', targets: { outputs: 1, ridge: 1e-30 } });
    const wanted = Array.from({ length: 200 }, () => [1]);
    const { offset, outputs } = await service.steps('a', { from: 0, rows: rowsOf(0, 200), targets: wanted });
    expect({ offset, rows: outputs.rows }).toEqual({ offset: 200, rows: 200 });
    const { stopped, error, learned } = await service.readout('a');
    expect(stopped).toMatch(/ridge/);
    expect(error).toBeNull();
    expect(learned).toBeLessThan(200);
  });

  test('needs as many rows of targets as rows, of its width; a session without targets takes none', async () => {
    const service = await start();
    await service.create({ id: 'a', targets });
    await service.create({ id: 'plain' });
    const rows = rowsOf(0, 3);
    const impossible = expect.objectContaining({ code: 'impossible' });
    await expect(service.steps('a', { from: 0, rows, targets: targetsOf(0, 2) })).rejects.toEqual(impossible);
    await expect(service.steps('a', { from: 0, rows, targets: [[1], [1], [1]] })).rejects.toEqual(impossible);
    await expect(service.steps('plain', { from: 0, rows, targets: targetsOf(0, 3) })).rejects.toEqual(impossible);
    await expect(service.readout('plain')).rejects.toEqual(impossible);
    expect(service.describe('a').offset).toBe(0);
  });

  test('goes on after a restart to the bit: weights, predictions and running errors', async () => {
    const stateDir = folder();
    const first = await start({ stateDir });
    await first.create({ id: 'a', targets });
    await first.steps('a', { from: 0, rows: rowsOf(0, 40), targets: targetsOf(0, 40) });
    await first.steps('a', { from: 40, rows: rowsOf(40, 5) });
    await first.steps('a', { from: 45, rows: rowsOf(45, 30), targets: targetsOf(45, 30) });
    const before = await first.readout('a');
    const place = first.describe('a');
    await first.close();
    const second = await start({ stateDir });
    expect(second.describe('a')).toEqual({ ...place, durable: 75 });
    expect(await second.readout('a')).toEqual(before);
  });
});

test('a session that learns the next row of sines has less than a tenth of the error of persistence', async () => {
  const service = await start();
  await service.create({ id: 'a', targets: { outputs: 3 } });
  const rows = rowsOf(0, 301);
  await service.steps('a', { from: 0, rows: rows.slice(0, 300), targets: rows.slice(1) });
  const { error, persistence } = await service.readout('a');
  expect(error).toBeLessThan(0.1 * persistence!);
  const { network } = await buildNetwork('x', tree);
  expect((await service.readout('a')).weights.rows).toBe(network.featureSize);
  network.close();
});
