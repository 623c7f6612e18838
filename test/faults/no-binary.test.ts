/** The compiled package on a platform for which there is no binary. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn-no-binary-'));
  for (const part of ['dist', 'package.json'])
    cpSync(path.join(root, part), path.join(folder, part), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(code: string) {
  writeFileSync(path.join(folder, 'main.mjs'), code);
  const { stdout, stderr, status } = spawnSync(process.execPath, ['main.mjs'], { cwd: folder, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('without a binary dtesn/engine fetches the five sources of a live simulated server', () => {
  const result = run(`
    import { fetchSources, HttpEngine } from 'dtesn/engine';
    import { EngineSimulator } from 'dtesn/simulator';
    const server = await EngineSimulator.start();
    const engine = new HttpEngine(server.url);
    const { sources } = await fetchSources(engine, { deadlineMs: 20_000 });
    console.log(JSON.stringify({
      model: sources.model_config.model_name, ready: sources.performance.engine_ready, tokenizer: sources.tokenizer.state,
      names: Object.keys(sources).sort(), kernels: sources.resources.echo_kern_available,
    }));
    await engine.close();
    await server.close();`);
  expect(result).toMatchObject({ ready: true, kernels: null });
  expect(result['model']).toBeTypeOf('string');
  expect(result['tokenizer']).not.toBe('error');
  expect(result['names']).toEqual(['model_config', 'performance', 'processing_state', 'resources', 'tokenizer']);
});

test('without a binary dtesn can be imported, and a constructor that needs it names the platform and the build command', () => {
  const result = run(`
    const { DtesnError, Reservoir, rootedTrees, matrix, native } = await import('dtesn');
    const failure = (work) => { try { work(); } catch (error) { return [error instanceof DtesnError, error.code, error.message]; } };
    console.log(JSON.stringify({
      matrix: matrix(2, 3).data.length,
      reservoir: failure(() => new Reservoir({ units: 3, inputs: 1 })),
      again: failure(() => new Reservoir({ units: 3, inputs: 1 })),
      trees: failure(() => rootedTrees(3))?.[1],
      isa: failure(() => native.isa)?.[1],
    }));`);
  expect(result).toMatchObject({ matrix: 6, trees: 'ERR_DTESN_BINARY', isa: 'ERR_DTESN_BINARY' });
  expect(result['reservoir']).toEqual(result['again']);
  expect(result['reservoir']).toEqual([
    true,
    'ERR_DTESN_BINARY',
    expect.stringMatching(new RegExp(`^Expected a binary for ${process.platform}-${process.arch} .*npx dtesn build$`)),
  ]);
});
