#!/usr/bin/env node
/**
 * The `dtesn` command.
 *
 * Answers go to stdout (a page, or one JSON object with --json), progress and errors to stderr. Exit codes: 0 done,
 * 1 failed, 2 wrong usage.
 */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { packageRoot, packageVersion } from '../native/index.js';
import { json, printable } from './printable.js';
import { ProgressLine } from './progress.js';
import { Paint } from './terminal.js';
import { isUsageError, UsageError } from './usage-error.js';

const usage = `dtesn: reservoir computing beside an inference engine

  dtesn process [FILE | -] [--text TEXT]   one input, the whole way: sources, plan, Deep Tree ESN, features
  dtesn sources [--watch]                  the sources, their quality, and the plan they lead to; --watch shows them
                                           and what they cost every second (--interval SECONDS) until Ctrl-C
  dtesn bridge [options]                   the server beside an engine that tells what it does and processes inputs
                                           (dtesn bridge --help)
  dtesn simulate [options]                 an Aphrodite server with no model, for tests (dtesn simulate --help)
  dtesn doctor                             the binary, the instruction sets, and a check of every kernel
  dtesn build                              builds the addon from source (CMake, or make and python3)

  --engine URL       an Aphrodite, vLLM, SGLang, llama.cpp, TGI or Ollama server, whose kind is detected;
                     without it an embedded simulation answers
  --api-key KEY      for servers that want one (or DTESN_API_KEY)
  --model-dir DIR    folder of the model's config.json, or its .gguf file (or DTESN_MODEL_DIR)
  --options FILE     an ES module whose default export are options of DtesnProcessor.create: additional sources,
                     pipelines, providers, config ...; only a file you trust, for it is run
  --json             one JSON object instead of the page; with --watch one a line
  --help, --version
`;

const options = {
  engine: { type: 'string' },
  'api-key': { type: 'string' },
  'model-dir': { type: 'string' },
  text: { type: 'string' },
  options: { type: 'string' },
  watch: { type: 'boolean', default: false },
  interval: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', short: 'v', default: false },
} as const;

type Values = ReturnType<typeof parse>['values'];

function parse(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message, null, { cause: error });
  }
}

async function main(args: string[]): Promise<number> {
  if (args[0] === 'simulate') {
    const { simulate } = await import('./simulate.js');
    return simulate(args.slice(1));
  }
  if (args[0] === 'bridge') {
    const { runBridge } = await import('./bridge.js');
    return runBridge(args.slice(1));
  }
  const { values, positionals } = parse(args);
  const [command, ...rest] = positionals;
  if (values.version) return print(packageVersion());
  if (values.help || command === undefined) return print(usage);
  if (rest.length > (command === 'process' ? 1 : 0)) throw new UsageError(`Unexpected argument ${rest.at(-1)}`);
  switch (command) {
    case 'process':
      return processInput(values, rest[0]);
    case 'sources':
      return showSources(values);
    case 'doctor':
      return doctor(values);
    case 'build':
      return (
        spawnSync(process.execPath, [path.join(packageRoot(), 'scripts/build-native.mjs')], { stdio: 'inherit' })
          .status ?? 1
      );
    case 'simulate':
    case 'bridge':
      throw new UsageError(`Expected ${command} before its options`);
    default:
      throw new UsageError(`Unknown command ${command}`);
  }
}

// Rooms that need the addon are loaded by the commands that use them: `build` must run where there is none yet.

async function processInput(values: Values, file: string | undefined): Promise<number> {
  const { text, title } = await readInput(values, file);
  const line = new ProgressLine();
  const { resultPage } = await import('./result-page.js');
  const processor = await openProcessor(values, line);
  try {
    const result = await processor.process(text, {
      onProgress: (progress) => line.show(progress),
    });
    line.end();
    if (values.json) return print(json(result));
    return print(resultPage(printable(result), printable(title), new Paint(process.stdout)));
  } finally {
    await processor.close();
  }
}

async function showSources(values: Values): Promise<number> {
  const intervalMs = intervalOf(values.interval);
  const progress = new ProgressLine();
  const page = await import('./context-page.js');
  const processor = await openProcessor(values, progress);
  try {
    progress.show({ stage: 'sources', done: 0, total: null });
    if (values.watch) {
      progress.end();
      const { watchSources } = await import('./watch-sources.js');
      await watchSources(processor, { intervalMs, json: values.json, paint: new Paint(process.stdout) });
      return 0;
    }
    const fetched = await processor.fetchMultiSourceData();
    progress.end();
    if (values.json) return print(json(fetched));
    const paint = new Paint(process.stdout);
    const data = printable(fetched);
    const { simulated } = processor.engine!;
    const label = printable(processor.engine!.label);
    return print(
      [
        `${paint.bold('Engine')}  ${label}${simulated ? paint.warn('  (a simulation: no model is running)') : ''}`,
        ...page.engineLines(data, paint),
        '',
        ...page.sourcesLines(data, paint),
        '',
        ...page.aggregationLines(data, paint),
        '',
        ...page.planLines(data, paint),
      ].join('\n'),
    );
  } finally {
    await processor.close();
  }
}

async function doctor(values: Values): Promise<number> {
  const { diagnose, doctorPage } = await import('./doctor.js');
  const diagnosis = diagnose();
  print(values.json ? json(diagnosis) : doctorPage(printable(diagnosis), new Paint(process.stdout)));
  return diagnosis.ok ? 0 : 1;
}

async function openProcessor(values: Values, progress: ProgressLine) {
  progress.show({ stage: 'building the model', done: 0, total: null });
  const { DtesnProcessor } = await import('../processor/index.js');
  const { HttpEngine } = await import('../engine/index.js');
  const given = await givenOptions(values.options);
  const url = values.engine ?? process.env['DTESN_ENGINE_URL'];
  if (!url) return DtesnProcessor.create(given);
  const apiKey = values['api-key'] ?? process.env['DTESN_API_KEY'];
  const modelDir = values['model-dir'] ?? process.env['DTESN_MODEL_DIR'];
  const engine = new HttpEngine(url, { ...(apiKey && { apiKey }), ...(modelDir && { modelDir }) });
  return DtesnProcessor.create({ ...given, engine });
}

async function givenOptions(file: string | undefined): Promise<object> {
  if (file === undefined) return {};
  const { default: options } = (await import(pathToFileURL(path.resolve(file)).href)) as { default?: unknown };
  if (typeof options === 'object' && options !== null) return options;
  throw new UsageError(`Expected an object as the default export of ${file} (--options)`);
}

function intervalOf(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== '' && seconds >= 0.1 && seconds <= 3600) return 1000 * seconds;
  throw new UsageError(`Expected seconds in [0.1, 3600] for --interval but received ${JSON.stringify(text)}`);
}

async function readInput(values: Values, file: string | undefined): Promise<{ text: string; title: string }> {
  if (values.text !== undefined && file !== undefined) throw new UsageError('Expected a file or --text, not both');
  if (values.text !== undefined) return { text: values.text, title: '--text' };
  if (file === undefined) throw new UsageError('Expected a file, - for standard input, or --text');
  if (file !== '-') return { text: await readFile(file, 'utf8'), title: file };
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return { text: Buffer.concat(chunks).toString('utf8'), title: 'standard input' };
}

function print(text: string): number {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  return 0;
}

function fail(error: unknown): number {
  if (isUsageError(error)) {
    process.stderr.write(`dtesn: ${printable(error.message)}\n\n${error.usage ?? usage}`);
    return 2;
  }
  process.stderr.write(`dtesn: ${printable(String(error))}\n`);
  return 1;
}

main(process.argv.slice(2))
  .catch(fail)
  .then((code) => {
    process.exitCode = code;
  });
