import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  type FrameDtype,
  frameShape,
  readFrame,
  seriesOfFrame,
  writeFrame,
} from '../../../src/bridge/processing/index.js';
import fc from '../../property/fast-check.js';

const fieldsOf = (dtype: string, shape: string, length: number, more: Record<string, string> = {}) => ({
  'x-dtesn-dtype': dtype,
  'x-dtesn-shape': shape,
  'content-length': String(length),
  ...more,
});

async function* cut(body: Uint8Array, cuts: readonly number[] = []) {
  let start = 0;
  for (const length of cuts) {
    yield body.subarray(start, start + length);
    start += length;
  }
  yield body.subarray(start);
}

const arrays = { f32: Float32Array, f64: Float64Array };
const dtype = fc.constantFrom<FrameDtype>('f32', 'f64');
const size = fc.integer({ min: 1, max: 6 });

describe('a frame', () => {
  test('is read as it was written, to the bit, wherever its body is cut', async () => {
    const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(-0, 5e-324));
    const law = fc.asyncProperty(
      dtype,
      fc.option(size),
      size,
      size,
      fc.option(fc.nat()),
      fc.array(fc.nat(40)),
      fc.array(number, { minLength: 216, maxLength: 216 }),
      async (type, count, steps, features, from, cuts, numbers) => {
        const kept = numbers.slice(0, (count ?? 1) * steps * features);
        const values = new arrays[type](kept.map((x) => (Number.isFinite(Math.fround(x)) ? x : 0)));
        const { fields, body } = writeFrame(values, { count, steps, features, from });
        const frame = await readFrame(fields, cut(body, cuts));
        expect(frame).toMatchObject({ dtype: type, count, steps, features, from });
        expect(frame.values.buffer).toBeInstanceOf(SharedArrayBuffer);
        expect(Buffer.from(new Uint8Array(frame.values.buffer))).toEqual(Buffer.from(body));
        const series = seriesOfFrame(frame);
        expect(series.length).toBe(count ?? 1);
        expect(series.flatMap(({ data }) => [...data])).toEqual([...values]);
        expect(series[0]).toMatchObject({ rows: steps, cols: features });
      },
    );
    await fc.assert(law);
  });

  test('is little-endian', async () => {
    const { values } = await readFrame(fieldsOf('f32', '1,1', 4), cut(Uint8Array.of(0, 0, 0x80, 0x3f)));
    expect([...values]).toEqual([1]);
  });

  test('with any fields and any body is read or refused with an error of the bridge', async () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'f32',
        'f64',
        '1,1',
        '2,3',
        '0,1',
        '-1,4',
        '1e3,1',
        '1,',
        ',',
        '1,1,1,1',
        '4',
        '8',
        '24',
        '1.0,4',
      ),
      fc.constant(undefined),
    );
    const law = fc.asyncProperty(text, text, text, text, fc.uint8Array({ maxLength: 64 }), async (a, b, c, d, body) => {
      const fields = { 'x-dtesn-dtype': a, 'x-dtesn-shape': b, 'content-length': c, 'x-dtesn-from': d };
      try {
        const frame = await readFrame(fields, cut(body));
        expect(frame.values.byteLength).toBe(body.length);
      } catch (error) {
        expect(['malformed', 'impossible', 'body_too_large']).toContain((error as { code?: string }).code);
      }
    });
    await fc.assert(law, { numRuns: 300 });
  });

  test('of a shape that does not fit its length is refused before its body is read', async () => {
    let read = false;
    async function* body() {
      read = true;
      yield new Uint8Array(8);
    }
    for (const fields of [
      fieldsOf('f32', '2,2', 8),
      fieldsOf('f64', '1,1', 4),
      fieldsOf('f32', '9007199254740991,9007199254740991', 8),
      fieldsOf('f32', '1,1', 7),
      fieldsOf('f32', '1,1', 2 ** 40),
    ]) {
      await expect(readFrame(fields, body())).rejects.toMatchObject({ status: expect.any(Number) });
    }
    expect(read).toBe(false);
  });

  test('beyond the limit is too large', () => {
    expect(() => frameShape(fieldsOf('f32', '1,1', 64 * 2 ** 20 + 4))).toThrow(
      expect.objectContaining({ code: 'body_too_large', status: 413 }),
    );
    expect(() => frameShape(fieldsOf('f32', '4194304,4', 64 * 2 ** 20))).not.toThrow();
  });

  test.each([
    ['short', 12],
    ['long', 20],
  ])('with a %s body is malformed', async (_, length) => {
    await expect(readFrame(fieldsOf('f32', '2,2', 16), cut(new Uint8Array(length), [3]))).rejects.toMatchObject({
      code: 'malformed',
      status: 400,
    });
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'that holds %d is impossible, and the error has its index',
    async (value) => {
      const values = new Float64Array(12);
      values[7] = value;
      const { fields, body } = writeFrame(values, { count: 2, steps: 2, features: 3 });
      await expect(readFrame(fields, cut(body))).rejects.toMatchObject({
        code: 'impossible',
        status: 422,
        details: { index: 7 },
        message: expect.stringContaining('series 1, step 0, feature 1'),
      });
    },
  );

  test('that came twice in a field, or has a session offset that is none, is malformed', () => {
    const twice = { ...fieldsOf('f32', '1,1', 4), 'x-dtesn-dtype': ['f32', 'f64'] };
    expect(() => frameShape(twice)).toThrow(expect.objectContaining({ code: 'malformed' }));
    for (const from of ['-1', '9007199254740992', '1.5', '']) {
      const fields = fieldsOf('f32', '1,1', 4, { 'x-dtesn-from': from });
      expect(() => frameShape(fields)).toThrow(expect.objectContaining({ code: 'malformed' }));
    }
    expect(frameShape(fieldsOf('f32', '1,1', 4, { 'x-dtesn-from': '9007199254740991' })).from).toBe(2 ** 53 - 1);
  });

  test('is read from the body of a real request', async () => {
    const values = Float32Array.from({ length: 30_000 }, (_, i) => Math.sin(i));
    const server = createServer(async (incoming, answer) => {
      const frame = await readFrame(incoming.headers, incoming);
      const { fields, body } = writeFrame(frame.values, frame);
      answer.writeHead(200, fields).end(body);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    try {
      const { port } = server.address() as AddressInfo;
      const { fields, body } = writeFrame(values, { steps: 10_000, features: 3 });
      const answered = await new Promise<Buffer>((resolve, reject) => {
        const asking = request({ port, host: '127.0.0.1', method: 'POST', headers: fields }, async (answer) => {
          const parts: Buffer[] = [];
          for await (const part of answer) parts.push(part as Buffer);
          resolve(Buffer.concat(parts));
        });
        asking.on('error', reject);
        asking.end(body);
      });
      expect(answered.equals(Buffer.from(body))).toBe(true);
    } finally {
      server.close();
    }
  });
});
