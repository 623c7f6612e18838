/** Rows of the package test: threads, test runners, a bundler, compilers and checkers of packages, on one installation. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { asCommonJs, expectOutput, install } from './installs.mjs';
import { environment, node, run, tool } from './tools.mjs';

const limits = { tarball: 6_000_000, installed: 20_000_000, binaries: 8 };

export async function consumerRows({ tarball, folder, example }) {
  const cwd = path.join(folder, 'consumer');
  const env = environment(20, true);
  await install('npm 11', 20, true, cwd, tarball);
  const write = (name, text) => {
    mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true });
    writeFileSync(path.join(cwd, name), text);
  };
  const runNode = (...args) => run(node(20), args, { cwd, env });
  const expected = example.output.trim();
  const value = example.code.replace(/console\.log\((.*?)\);.*$/m, 'const printed = [$1].join(" ");');
  const rows = [];
  const row = (name, check) => rows.push({ name, check });

  row('worker_threads: a thread each by import and by require', async () => {
    write('thread.mjs', example.code);
    write('thread.cjs', asCommonJs(example.code));
    write(
      'threads.mjs',
      `import { Worker } from 'node:worker_threads';
       import { once } from 'node:events';
       for (const name of ['./thread.mjs', './thread.cjs']) await once(new Worker(new URL(name, import.meta.url)), 'exit');`,
    );
    expectOutput(await runNode('threads.mjs'), example.output.repeat(2));
  });

  row('jest, CommonJS', async () => {
    write(
      'jest/example.test.cjs',
      `test('it', () => { ${asCommonJs(value)}\n expect(printed).toBe('${expected}'); });`,
    );
    write('jest/jest.config.json', '{ "testMatch": ["**/*.test.cjs"], "transform": {} }');
    await runNode(tool('jest/bin/jest.js'), '--rootDir', 'jest', '--config', 'jest/jest.config.json');
  });

  row('vitest', async () => {
    write('vitest/example.test.mjs', `${value}\ntest('it', () => { expect(printed).toBe('${expected}'); });`);
    await run(node(22), [tool('vitest/vitest.mjs'), 'run', '--globals', '--root', 'vitest'], { cwd, env });
  });

  for (const format of ['cjs', 'esm']) {
    row(`esbuild, ${format}, dtesn external`, async () => {
      write('bundle/example.mjs', example.code);
      await bundle('bundle/example.mjs', format, '--external:dtesn');
      expectOutput(await runNode(bundled(format)), example.output);
    });
  }

  row('esbuild, cjs, all in one file: the error says to mark dtesn external', async () => {
    write('bundle/whole.mjs', example.code);
    await bundle('bundle/whole.mjs', 'cjs');
    const failed = await runNode(bundled('cjs')).catch((error) => error);
    if (!String(failed.message).includes('mark dtesn external in your bundler'))
      throw new Error(String(failed.message));
  });

  for (const { compiler, name, options, extension } of compilations()) {
    row(name, async () => {
      const file = `types/${name.replace(/\W+/g, '-')}.${extension}`;
      write(file, typed(extension));
      await runNode(
        tool(compiler),
        ...options,
        '--noEmit',
        '--strict',
        '--skipLibCheck',
        'false',
        '--target',
        'es2022',
        file,
      );
    });
  }

  row('attw', () => runNode(tool('@arethetypeswrong/cli/dist/index.js'), '--profile', 'node16', tarball));
  row('publint --strict', () => runNode(tool('publint/src/cli.js'), 'run', '--strict', tarball));
  row(`the tarball has at most ${limits.tarball / 1e6} MB, with eight binaries`, async () => {
    const { size } = statSync(tarball);
    const { missing, packed } = missingBinaries(cwd);
    const whole = size + missing * packed;
    if (whole > limits.tarball) throw new Error(`It has ${whole} bytes`);
    return `${(size / 1e6).toFixed(2)} MB${missing > 0 ? `, ${(whole / 1e6).toFixed(2)} with ${missing} more binaries like these` : ''}`;
  });
  row(`node_modules has at most ${limits.installed / 1e6} MB, with eight binaries`, async () => {
    const size = sizeOf(path.join(cwd, 'node_modules'));
    const { missing, unpacked } = missingBinaries(cwd);
    const whole = size + missing * unpacked;
    if (whole > limits.installed) throw new Error(`It has ${whole} bytes`);
    return `${(size / 1e6).toFixed(2)} MB${missing > 0 ? `, ${(whole / 1e6).toFixed(2)} with ${missing} more binaries like these` : ''}`;
  });
  return rows;

  function bundle(file, format, ...more) {
    const args = [
      '--bundle',
      '--platform=node',
      `--format=${format}`,
      '--log-level=error',
      `--outfile=${bundled(format)}`,
    ];
    return runNode(tool('esbuild/bin/esbuild'), file, ...args, ...more).catch(() =>
      run(tool('esbuild/bin/esbuild'), [file, ...args, ...more], { cwd, env }),
    );
  }
}

const bundled = (format) => `bundle/out.${format === 'esm' ? 'mjs' : 'cjs'}`;

/** Two compilers, three resolutions, modules of both kinds, with and without @types/node. */
function compilations() {
  const types = { with: ['--types', 'node', '--typeRoots', tool('@types')], without: [] };
  const pairs = [
    ['typescript5', 'node16', 'mts', 'with'],
    ['typescript5', 'node16', 'cts', 'without'],
    ['typescript5', 'bundler', 'mts', 'without'],
    ['typescript7', 'nodenext', 'mts', 'without'],
    ['typescript7', 'nodenext', 'cts', 'with'],
    ['typescript7', 'bundler', 'ts', 'with'],
  ];
  return pairs.map(([compiler, resolution, extension, node]) => ({
    compiler: `${compiler}/bin/tsc`,
    extension,
    name: `TypeScript ${compiler.at(-1)}, ${resolution}, .${extension}, ${node} @types/node`,
    options: [
      ...(resolution === 'bundler'
        ? ['--module', 'esnext', '--moduleResolution', 'bundler']
        : ['--module', resolution]),
      ...(compiler === 'typescript7' ? ['--ignoreConfig'] : []),
      ...types[node],
    ],
  }));
}

/** A program that names something of each entry point. */
function typed(extension) {
  return `
    import { DtesnError, dtesnResultSchema, Fleet, matrix, multiSourceDataSchema, native, Reservoir, type Schema } from 'dtesn';
    import { EngineMonitor, HttpEngine } from 'dtesn/engine';
    import { EmbeddedEngine } from 'dtesn/simulator';
    import { Bridge } from 'dtesn/bridge';
    import { BridgeClient } from 'dtesn/bridge-client';
    const reservoir = new Reservoir({ units: 10, inputs: 1 });
    const states: number = reservoir.run([1, 2, 3]).rows;
    const names: string[] = native.availableIsas;
    const result = dtesnResultSchema.safeParse({});
    const simulated: boolean | undefined = result.success ? result.data.engine.simulated : undefined;
    const schema: Schema<{ timestamp: number }> = multiSourceDataSchema;
    const listen = (fleet: Fleet) => fleet.on('drained', (engine, state) => [engine.label, state.name]);
    // @ts-expect-error a string is no number
    new Reservoir({ units: '10', inputs: 1 });
    export { Bridge, BridgeClient, DtesnError, EmbeddedEngine, EngineMonitor, HttpEngine, listen, matrix, names, schema, simulated, states };
    export const kind = '${extension}';`;
}

/** How many of the eight binaries this tarball lacks, and what one takes. */
function missingBinaries(cwd) {
  const folder = path.join(cwd, 'node_modules/dtesn/prebuilds');
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.node'));
  const bytes = found.map((name) => readFileSync(path.join(folder, name)));
  const mean = (sizes) => sizes.reduce((a, b) => a + b, 0) / sizes.length;
  return {
    missing: limits.binaries - found.length,
    packed: mean(bytes.map((one) => gzipSync(one, { level: 9 }).length)),
    unpacked: mean(bytes.map((one) => one.length)),
  };
}

function sizeOf(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0);
}
