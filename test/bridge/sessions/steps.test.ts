/** Steps of sessions beside the plain reference: the network run row by row. */
import { describe, expect, test } from 'vitest';
import { buildNetwork, fingerprintOf, rebuildNetwork, type StepsAnswer } from '../../../src/bridge/sessions/index.js';
import { DeepTreeModel, type DeepTreeOptions } from '../../../src/network/index.js';
import { lists, networksOf, rowsOf, start, tree } from './fixtures.js';

/** The states of rows that are run one by one from rest. */
async function reference(rows: number[][]): Promise<number[][]> {
  const { network } = await buildNetwork('reference', tree);
  const states = rows.map((row) => [...network.run([row]).data]);
  network.close();
  return states;
}

function closest(received: number[][], expected: number[][]): number {
  expect(received.length).toBe(expected.length);
  return Math.max(...received.flatMap((row, i) => row.map((value, k) => Math.abs(value - expected[i]![k]!))));
}

describe('outputs', () => {
  test('are the states of the network run row by row, to the rounding of f32', async () => {
    const service = await start();
    await service.create({ id: 'a' });
    const rows = rowsOf(0, 150);
    const { outputs, outputsFrom, offset, durable, durability } = await service.steps('a', { from: 0, rows });
    expect({ outputsFrom, offset, durable, durability }).toEqual({
      outputsFrom: 0,
      offset: 150,
      durable: 0,
      durability: 'none',
    });
    expect(closest(lists(outputs), await reference(rows))).toBeLessThan(1e-5);
  });

  test('do not depend to the bit on how rows are divided into requests, nor on the other sessions', async () => {
    const service = await start();
    const rows = rowsOf(0, 90);
    for (let i = 0; i < 70; i++) await service.create({ id: `s${i}` });
    const whole = lists((await service.steps('s0', { from: 0, rows })).outputs);
    const parts: number[][][] = Array.from({ length: 70 }, () => []);
    for (let at = 0; at < 90; at += 7) {
      await Promise.all(
        Array.from({ length: 69 }, async (_, i) => {
          const count = Math.min(7, 90 - at);
          const answer = await service.steps(`s${i + 1}`, { from: at, rows: rows.slice(at, at + count) });
          parts[i + 1]!.push(...lists(answer.outputs));
        }),
      );
    }
    for (let i = 1; i < 70; i++) expect(parts[i]).toEqual(whole);
  });

  test('are the chosen columns alone where a session names them', async () => {
    const service = await start();
    await service.create({ id: 'all' });
    await service.create({ id: 'some', outputs: [5, 0, 39] });
    const rows = rowsOf(0, 20);
    const all = lists((await service.steps('all', { from: 0, rows })).outputs);
    const some = lists((await service.steps('some', { from: 0, rows })).outputs);
    expect(some).toEqual(all.map((row) => [row[5], row[0], row[39]]));
    expect(service.describe('some').outputs).toBe(3);
  });

  test('are those of the readout where the network has one', async () => {
    const weights = Array.from({ length: 40 }, (_, i) => [Math.cos(i), i % 3]);
    const bias = [0.5, -1];
    const service = await start({ definitions: { default: { ...tree, readout: { weights, bias } } } });
    await service.create({ id: 'a' });
    const rows = rowsOf(0, 30);
    const { outputs } = await service.steps('a', { from: 0, rows });
    const expected = (await reference(rows)).map((state) =>
      bias.map((start, k) => state.reduce((sum, x, i) => sum + x * weights[i]![k]!, start)),
    );
    expect(closest(lists(outputs), expected)).toBeLessThan(1e-4);
  });

  test('of a frame are those of the same rows as lists', async () => {
    const service = await start();
    await service.create({ id: 'lists' });
    await service.create({ id: 'frame' });
    const rows = rowsOf(0, 10);
    const data = Float64Array.from(rows.flat());
    const ofLists = await service.steps('lists', { from: 0, rows });
    const ofFrame = await service.steps('frame', { from: 0, rows: { rows: 10, cols: 3, data } });
    expect(ofFrame.outputs).toEqual(ofLists.outputs);
  });
});

describe('offsets', () => {
  test('rows below the offset are skipped, and a retry of the last request has the same outputs', async () => {
    const service = await start();
    await service.create({ id: 'a' });
    await service.steps('a', { from: 0, rows: rowsOf(0, 5) });
    const first = await service.steps('a', { from: 5, rows: rowsOf(5, 10) });
    const again = await service.steps('a', { from: 5, rows: rowsOf(5, 10) });
    expect(again).toEqual(first);
    const part = await service.steps('a', { from: 8, rows: rowsOf(8, 4) });
    expect({ from: part.outputsFrom, offset: part.offset }).toEqual({ from: 8, offset: 15 });
    expect(lists(part.outputs)).toEqual(lists(first.outputs).slice(3, 7));
  });

  test('a retry that the last answer does not hold begins its outputs at the first new row', async () => {
    const service = await start();
    await service.create({ id: 'a' });
    await service.steps('a', { from: 0, rows: rowsOf(0, 5) });
    await service.steps('a', { from: 5, rows: rowsOf(5, 5) });
    const { outputsFrom, outputs, offset } = await service.steps('a', { from: 2, rows: rowsOf(2, 10) });
    expect({ outputsFrom, rows: outputs.rows, offset }).toEqual({ outputsFrom: 10, rows: 2, offset: 12 });
    const old = await service.steps('a', { from: 0, rows: rowsOf(0, 5) });
    expect({ outputsFrom: old.outputsFrom, rows: old.outputs.rows }).toEqual({ outputsFrom: 12, rows: 0 });
  });

  test('a request that overlaps the last one has the outputs of all its rows, also when it is sent again', async () => {
    const service = await start();
    await service.create({ id: 'a' });
    await service.create({ id: 'plain' });
    await service.steps('a', { from: 0, rows: rowsOf(0, 10) });
    const overlapping = { from: 4, rows: rowsOf(4, 10) };
    const answer = await service.steps('a', overlapping);
    const plain = await service.steps('plain', { from: 0, rows: rowsOf(0, 14) });
    expect(answer.outputsFrom).toBe(4);
    expect(lists(answer.outputs)).toEqual(lists(plain.outputs).slice(4));
    expect((await service.steps('a', overlapping)).outputs).toEqual(answer.outputs);
  });

  test('without room in the cache a retry has no outputs of old rows', async () => {
    const service = await start({ replayBytes: 4 * 40 * 9 });
    await service.create({ id: 'a' });
    await service.steps('a', { from: 0, rows: rowsOf(0, 10) });
    const { outputsFrom, outputs } = await service.steps('a', { from: 0, rows: rowsOf(0, 10) });
    expect({ outputsFrom, rows: outputs.rows }).toEqual({ outputsFrom: 10, rows: 0 });
  });

  test('a gap is offset_gap with the next row, and applies nothing', async () => {
    const service = await start();
    await service.create({ id: 'a' });
    await service.steps('a', { from: 0, rows: rowsOf(0, 3) });
    await expect(service.steps('a', { from: 4, rows: rowsOf(4, 3) })).rejects.toMatchObject({
      code: 'offset_gap',
      details: { next: 3, durable: 0 },
    });
    expect(service.describe('a').offset).toBe(3);
  });

  test('requests on one session run one after the other, in the order of their calls', async () => {
    const service = await start();
    await service.create({ id: 'a' });
    const calls = Array.from({ length: 12 }, (_, i) => service.steps('a', { from: 10 * i, rows: rowsOf(10 * i, 10) }));
    const offsets = (await Promise.all(calls)).map(({ outputsFrom }) => outputsFrom);
    expect(offsets).toEqual(Array.from({ length: 12 }, (_, i) => 10 * i));
    expect(service.describe('a').offset).toBe(120);
  });

  test('no rows at all tell where the session stands', async () => {
    const service = await start();
    await service.create({ id: 'a' });
    const { offset, outputsFrom, outputs } = await service.steps('a', { from: 0, rows: [] });
    expect({ offset, outputsFrom, rows: outputs.rows }).toEqual({ offset: 0, outputsFrom: 0, rows: 0 });
  });
});

describe('checks', () => {
  test.each<[string, number[][], string]>([
    [
      'another width',
      [
        [1, 2, 3],
        [1, 2],
      ],
      'impossible',
    ],
    [
      'NaN',
      [
        [1, 2, 3],
        [1, Number.NaN, 3],
      ],
      'malformed',
    ],
    [
      'a number that is infinite in f32',
      [
        [1, 2, 3],
        [1, 1e39, 3],
      ],
      'impossible',
    ],
    [
      'text',
      [
        [1, 2, 3],
        [1, '2' as unknown as number, 3],
      ],
      'malformed',
    ],
    ['a row that is no array', [[1, 2, 3], 7 as unknown as number[]], 'malformed'],
  ])('%s in one row refuses the request before any row is applied', async (_what, rows, code) => {
    const service = await start();
    await service.create({ id: 'a' });
    await expect(service.steps('a', { from: 0, rows })).rejects.toMatchObject({ code });
    expect(service.describe('a').offset).toBe(0);
    const clean = await service.steps('a', { from: 0, rows: rowsOf(0, 4) });
    await service.create({ id: 'b' });
    expect(clean.outputs).toEqual((await service.steps('b', { from: 0, rows: rowsOf(0, 4) })).outputs);
  });

  test('another epoch is session_epoch, the right one and none are taken', async () => {
    const service = await start();
    const { session } = await service.create({ id: 'a' });
    const late = service.steps('a', { from: 0, rows: rowsOf(0, 1), epoch: 'other' });
    await expect(late).rejects.toMatchObject({ code: 'session_epoch' });
    expect(service.describe('a').offset).toBe(0);
    await service.steps('a', { from: 0, rows: rowsOf(0, 1), epoch: session.epoch });
    expect((await service.steps('a', { from: 1, rows: rowsOf(1, 1) })).epoch).toBe(session.epoch);
  });

  test('a request whose outputs are too many is impossible', async () => {
    const service = await start({ answerMaxBytes: 4 * 40 * 5 });
    await service.create({ id: 'a' });
    await expect(service.steps('a', { from: 0, rows: rowsOf(0, 6) })).rejects.toMatchObject({ code: 'impossible' });
    expect((await service.steps('a', { from: 0, rows: rowsOf(0, 5) })).offset).toBe(5);
  });

  test('ack: durable is impossible in memory, and so is a from below 0 malformed', async () => {
    const service = await start();
    await service.create({ id: 'a' });
    await expect(service.steps('a', { from: 0, rows: [], ack: 'durable' })).rejects.toMatchObject({
      code: 'impossible',
    });
    await expect(service.steps('a', { from: -1, rows: [] })).rejects.toMatchObject({ code: 'malformed' });
  });
});

describe('aborts and the end', () => {
  test('the abort of a waiting request applies nothing, and the ones beside it go on', async () => {
    const service = await start();
    await service.create({ id: 'a' });
    const stop = new AbortController();
    const first = service.steps('a', { from: 0, rows: rowsOf(0, 10) });
    const aborted = service.steps('a', { from: 10, rows: rowsOf(10, 10) }, stop.signal);
    stop.abort(new Error('left'));
    await expect(aborted).rejects.toThrow('left');
    expect((await first).offset).toBe(10);
    expect((await service.steps('a', { from: 10, rows: rowsOf(10, 1) })).offset).toBe(11);
  });

  test('drain answers what has begun, refuses what waits with draining, and applies nothing of it', async () => {
    const service = await start();
    await service.create({ id: 'a' });
    const begun = service.steps('a', { from: 0, rows: rowsOf(0, 400) });
    await new Promise((turn) => setImmediate(turn));
    await new Promise((turn) => setImmediate(turn));
    const waiting = service.steps('a', { from: 400, rows: rowsOf(400, 1) });
    const drained = service.drain();
    await expect(waiting).rejects.toMatchObject({ code: 'draining' });
    expect((await begun).offset).toBe(400);
    await drained;
    await expect(service.steps('a', { from: 400, rows: rowsOf(400, 1) })).rejects.toMatchObject({ code: 'draining' });
    await expect(service.create()).rejects.toMatchObject({ code: 'draining' });
    expect(service.describe('a').offset).toBe(400);
  });
});

describe('many', () => {
  test('outcomes keep the order of their items, and one failure is one outcome', async () => {
    const service = await start();
    await service.create({ id: 'a' });
    await service.create({ id: 'b' });
    const outcomes = await service.stepsMany([
      { id: 'b', from: 0, rows: rowsOf(0, 2) },
      { id: 'unknown', from: 0, rows: [] },
      { id: 'a', from: 3, rows: rowsOf(3, 2) },
      { id: 'a', from: 0, rows: rowsOf(0, 2) },
      { id: 'b', from: 2, rows: rowsOf(2, 2) },
    ]);
    const told = outcomes.map((one) =>
      'error' in one ? (one.error as { code: string }).code : (one.answer as StepsAnswer).outputsFrom,
    );
    expect(outcomes.map(({ id }) => id)).toEqual(['b', 'unknown', 'a', 'a', 'b']);
    expect(told).toEqual([0, 'session_unknown', 'offset_gap', 0, 2]);
  });

  test('items whose outputs are too many together are impossible, and nothing of them is applied', async () => {
    const service = await start({ answerMaxBytes: 4 * 40 * 10 });
    for (const id of ['a', 'b']) await service.create({ id });
    const itemsOf = (count: number) => ['a', 'b', 'none'].map((id) => ({ id, from: 0, rows: rowsOf(0, count) }));
    await expect(service.stepsMany(itemsOf(6))).rejects.toMatchObject({
      code: 'impossible',
      message: expect.stringContaining('fewer columns (outputs)'),
      details: { rows: 10 },
    });
    await expect(service.stepsMany(itemsOf(5), undefined, { maxNumbers: 40 * 9 })).rejects.toMatchObject({
      details: { rows: 9 },
    });
    expect(service.describe('a').offset).toBe(0);
    const outcomes = await service.stepsMany(itemsOf(5));
    expect(outcomes.map((one) => 'answer' in one)).toEqual([true, true, false]);
  });

  test('an answer has its room, in JSON its size there, until it has left', async () => {
    const service = await start({ answerMaxBytes: 20 * 40 * 10 });
    let leave = () => {};
    const sent = new Promise<void>((resolve) => {
      leave = resolve;
    });
    await service.create({ id: 'a' });
    const form = { numberBytes: 20, sent };
    const ask = (from: number) => service.steps('a', { from, rows: rowsOf(from, 10) }, undefined, form);
    await expect(service.steps('a', { from: 0, rows: rowsOf(0, 11) }, undefined, form)).rejects.toMatchObject({
      code: 'impossible',
      details: { rows: 10 },
    });
    for (let i = 0; i < 4; i++) await ask(10 * i);
    await expect(ask(40)).rejects.toMatchObject({ code: 'memory' });
    leave();
    await sent;
    expect((await ask(40)).offset).toBe(50);
  });

  test('the outputs of all requests under way have a bound: beyond it memory, until one is answered', async () => {
    const service = await start({ answerMaxBytes: 4 * 40 * 10 });
    for (let i = 0; i < 5; i++) await service.create({ id: `s${i}` });
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        service.steps(`s${i}`, { from: 0, rows: rowsOf(0, 10) }).then(
          ({ offset }) => offset,
          ({ code }) => code,
        ),
      ),
    );
    expect(outcomes).toEqual([10, 10, 10, 10, 'memory']);
    expect(service.describe('s4').offset).toBe(0);
    expect((await service.steps('s4', { from: 0, rows: rowsOf(0, 10) })).offset).toBe(10);
  });

  test('more than 1,000 items are malformed', async () => {
    const service = await start();
    const items = Array.from({ length: 1001 }, () => ({ id: 'a', from: 0, rows: [] }));
    await expect(service.stepsMany(items)).rejects.toMatchObject({ code: 'malformed' });
  });
});

test('the fingerprint depends on weights, readout and definition, not on the order of its keys', async () => {
  const { kind, options } = tree;
  const reversed = Object.fromEntries(Object.entries(options).reverse());
  const weights = Array.from({ length: 40 }, () => [1]);
  const made = await networksOf({
    one: tree,
    same: { options: reversed, kind },
    seed: { kind, options: { ...options, seed: 8 } },
    readout: { kind, options, readout: { weights, bias: [0] } },
    bias: { kind, options, readout: { weights, bias: [1] } },
  });
  const [one, same, ...others] = made.map(({ fingerprint }) => fingerprint);
  for (const { network } of made) network.close();
  expect(same).toBe(one);
  expect(new Set([one, ...others]).size).toBe(4);
});

test('a stored Deep Tree without inputTo is that of the old default, whose input reaches the skin alone', async () => {
  const stored = await rebuildNetwork('old', tree);
  const skin = new DeepTreeModel({ ...(tree.options as unknown as DeepTreeOptions), inputTo: 'skin' });
  const [made] = await networksOf({ made: tree });
  expect(stored.fingerprint).toBe(fingerprintOf(skin, null, tree));
  expect(made!.definition).toMatchObject({ options: { inputTo: 'all' } });
  expect((await rebuildNetwork('again', made!.definition)).fingerprint).toBe(made!.fingerprint);
});
