/**
 * 10,000 mutations of files of models: none is taken for a model, but one that is the same to the byte; memory stays bounded.
 *
 * FUZZ_SEED begins the mutations.
 *
 * @module-tag slow
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Esn, matrix, Reservoir } from '../../src/index.js';
import { mutations } from './mutations.js';

const seed = Number(process.env['FUZZ_SEED'] ?? 1);
const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = path.join(folder, 'model');

async function saved(network: ConstructorParameters<typeof Esn>[0]['network']): Promise<Uint8Array> {
  const series = Array.from({ length: 100 }, (_, t) => Math.sin(t / 3));
  await new Esn({ network, readout: { ridge: 1e-6 } }).fit(series).save(file);
  return readFileSync(file);
}

test('a mutated file of a model is refused within 256 MB', { timeout: 120_000 }, async () => {
  const weights = {
    recurrent: matrix(6, 6, new Float64Array(36).fill(0.1)),
    input: matrix(6, 1, new Float64Array(6).fill(0.3)),
  };
  const sound = [await saved({ units: 40, inputs: 1 }), await saved(new Reservoir({ weights }))];
  const before = process.resourceUsage().maxRSS;
  let refused = 0;
  for (const { bytes, number } of mutations(sound, seed)) {
    if (number === 10_000) break;
    writeFileSync(file, bytes);
    const outcome: unknown = await Esn.load(file).catch((error: unknown) => error);
    if (outcome instanceof Esn) {
      expect(
        sound.some((one) => Buffer.compare(one, bytes) === 0),
        `mutation ${number} of seed ${seed}`,
      ).toBe(true);
      outcome.network.close();
      outcome.close();
    } else {
      expect(outcome, `mutation ${number} of seed ${seed}`).toMatchObject({
        name: 'DtesnError',
        code: 'ERR_DTESN_FILE',
      });
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(9000);
  expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(256);
});
