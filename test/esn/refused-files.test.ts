/** Files that are no models, or no longer: each is refused with a code, and nothing of it is taken. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Esn } from '../../src/index.js';
import { forged } from './forged.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-refused-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = () => path.join(folder, `${files++}.safetensors`);

const series = Array.from({ length: 203 }, (_, t) => [Math.sin(t / 3) + Math.cos(t / 7), Math.cos(t / 5)]);

describe('files that are refused', () => {
  const saved = async () => {
    const file = newFile();
    await new Esn({ network: { units: 5, inputs: 2 } }).fit(series).save(file);
    return { file, bytes: readFileSync(file) };
  };

  test('a file that is cut anywhere', async () => {
    const { file, bytes } = await saved();
    for (const length of [0, 1, 7, 8, 9, 100, 300, bytes.length >> 1, bytes.length - 1]) {
      writeFileSync(file, bytes.subarray(0, length));
      await expect(Esn.load(file), String(length)).rejects.toMatchObject({
        name: 'DtesnError',
        code: 'ERR_DTESN_FILE',
      });
    }
  });

  test('a file with any one bit changed', async () => {
    const { file, bytes } = await saved();
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1 << (at % 8);
      writeFileSync(file, changed);
      await expect(Esn.load(file), String(at)).rejects.toMatchObject({ code: 'ERR_DTESN_FILE' });
    }
  });

  test('a file of a later version says so', async () => {
    const { file, bytes } = await saved();
    writeFileSync(file, bytes.toString('latin1').replace('"version":"1"', '"version":"2"'), 'latin1');
    await expect(Esn.load(file)).rejects.toThrow(
      /has version 2 of this format, and this version of dtesn reads version 1/,
    );
  });

  // biome-ignore lint/suspicious/noExplicitAny: any JSON
  type Any = any;
  test.each<[string, (model: Any, header: Any) => void]>([
    [
      'a seed',
      ({ network }) => {
        network.spec.regions[0].seed = 5;
      },
    ],
    [
      'another kind of network',
      ({ network }) => {
        network.kind = 'Other';
      },
    ],
    [
      'no network',
      (model) => {
        delete model.network;
      },
    ],
    [
      'units beyond all memory',
      ({ network }) => {
        network.spec.regions[0].units = 16_777_216;
        network.spec.regions[0].rate.$fill[1] = 16_777_216;
        network.spec.regions[0].segments[0].units = 16_777_216;
        network.spec.regions[0].recurrent.topology = 'dense';
      },
    ],
    [
      'an array beyond all memory',
      (model) => {
        model.snapshot.bias = { $fill: ['F64', 1e15, 0] };
      },
    ],
    [
      'an operator that needs memory beside the drive as that of the input',
      ({ network }) => {
        const { units } = network.spec.regions[0];
        network.spec.inputs = units;
        network.spec.regions[0].input = {
          ...{ kind: 'topology', topology: 'hadamard', spectralRadius: 1, density: 1, blockRows: 8 },
        };
      },
    ],
    [
      'a wrong rate within features',
      (model) => {
        model.network.spec.regions[0].rate.$fill[2] = -5;
        model.network = { ...model.network, spec: null, within: model.network, facts: { features: ['states'] } };
      },
    ],
    [
      'more delayed rows than memory',
      (model) => {
        model.features = [{ feature: 'delays', count: 1e6, of: 'states', stride: 1 }];
      },
    ],
    [
      'fewer units',
      ({ network }) => {
        network.spec.regions[0].units = 4;
      },
    ],
    [
      'a parent that comes later',
      ({ network }) => {
        network.spec.regions[0].parent = 0;
      },
    ],
    [
      'an unknown law',
      ({ network }) => {
        network.spec.regions[0].law = 'other';
      },
    ],
    [
      'an unknown option',
      (model) => {
        model.other = 1;
      },
    ],
    [
      'a wrong washout',
      (model) => {
        model.washout = -1;
      },
    ],
    [
      'another size of the state',
      (model) => {
        model.snapshot.state = { $fill: ['F64', 4, 0] };
      },
    ],
    [
      'numbers that are not there',
      (model) => {
        model.snapshot.weights = { $tensor: 'none' };
      },
    ],
    [
      'deep objects',
      (model) => {
        let at = model;
        for (let i = 0; i < 100; i++) {
          at.in = {};
          at = at.in;
        }
      },
    ],
    [
      'numbers beyond the end',
      (_, header) => {
        header['snapshot.weights'].data_offsets = [0, 1e9];
      },
    ],
    [
      'numbers of an odd place',
      (_, header) => {
        header['snapshot.weights'].data_offsets = [1, 81];
      },
    ],
    [
      'a negative place',
      (_, header) => {
        header['snapshot.weights'].data_offsets = [-80, 0];
      },
    ],
    [
      'an unknown type of numbers',
      (_, header) => {
        header['snapshot.weights'].dtype = 'BF16';
      },
    ],
  ])('a file with a right checksum and %s', async (_, change) => {
    const { file, bytes } = await saved();
    writeFileSync(file, forged(bytes, change as never));
    const error = await Esn.load(file).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'DtesnError', code: expect.stringMatching(/^ERR_DTESN_(FILE|MEMORY)$/) });
  });

  test('a file that is none, and another safetensors file', async () => {
    const file = newFile();
    await expect(Esn.load(file)).rejects.toMatchObject({ code: 'ENOENT' });
    const header = Buffer.from('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
    const length = Buffer.alloc(8);
    length.writeUInt32LE(header.length);
    writeFileSync(file, Buffer.concat([length, header, Buffer.alloc(4)]));
    await expect(Esn.load(file)).rejects.toThrow(/is no model that save\(\) wrote/);
  });
});
