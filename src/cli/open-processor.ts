/** The processor that `process` and `sources` ask, opened from their flags and the environment; and whether its engine answered. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type EngineSourceName, engineSourceNames, HttpEngine } from '../engine/index.js';
import type { MultiSourceData } from '../pipeline/index.js';
import { DtesnProcessor } from '../processor/index.js';
import { requireFile, requireFolderOr } from './files.js';
import { NamedError } from './named-error.js';
import { note } from './output.js';
import type { ProgressLine } from './progress.js';
import { UsageError } from './usage-error.js';

export interface EngineValues {
  engine?: string | undefined;
  'api-key'?: string | undefined;
  'model-dir'?: string | undefined;
  options?: string | undefined;
  strict?: boolean | undefined;
}

type EngineCommand = 'process' | 'sources';

/** What a flag says, else a variable of the environment. */
interface Given {
  value: string;
  from: string;
}

function given(values: EngineValues, flag: 'engine' | 'api-key' | 'model-dir', variable: string): Given | null {
  const value = values[flag];
  if (value !== undefined) return { value, from: `--${flag}` };
  const set = process.env[variable];
  return set ? { value: set, from: variable } : null;
}

export async function openProcessor(
  values: EngineValues,
  command: EngineCommand,
  progress: ProgressLine,
): Promise<DtesnProcessor> {
  const engine = await namedEngine(values, command);
  try {
    const options = await givenOptions(values.options, command);
    progress.show({ stage: 'building the model', done: 0, total: null });
    return await DtesnProcessor.create(engine === null ? options : { ...options, engine });
  } catch (error) {
    await engine?.close();
    throw error;
  }
}

async function namedEngine(values: EngineValues, command: EngineCommand): Promise<HttpEngine | null> {
  const url = given(values, 'engine', 'DTESN_ENGINE_URL');
  if (url === null) {
    for (const flag of ['strict', 'api-key', 'model-dir'] as const) {
      if (values[flag] !== undefined) {
        throw new UsageError(`Expected --engine URL with --${flag}: without an engine it has no effect`, command);
      }
    }
    return null;
  }
  const apiKey = given(values, 'api-key', 'DTESN_API_KEY');
  const modelDir = given(values, 'model-dir', 'DTESN_MODEL_DIR');
  if (modelDir !== null) await requireFolderOr('.gguf', modelDir.value, modelDir.from);
  const names = { url: url.from, apiKey: apiKey?.from, modelDir: modelDir?.from };
  try {
    return new HttpEngine(url.value, {
      ...(apiKey && { apiKey: apiKey.value }),
      ...(modelDir && { modelDir: modelDir.value }),
    });
  } catch (error) {
    throw namingFlags(error, names, command);
  }
}

/** The error of an option of the engine, as one of the flag or the variable that gave it. */
function namingFlags(error: unknown, names: Record<string, string | undefined>, command: EngineCommand): unknown {
  const { code, message } = error as { code?: string; message: string };
  if (code !== 'ERR_DTESN_ARGUMENT') return error;
  const named = Object.entries(names).reduce(
    (sentence, [option, name]) => sentence.replace(` for ${option} `, ` for ${name ?? option} `),
    message,
  );
  return new UsageError(named, command, { cause: error });
}

async function givenOptions(file: string | undefined, command: EngineCommand): Promise<object> {
  if (file === undefined) return {};
  await requireFile(file, '--options');
  const { default: options } = await moduleOf(file);
  if (typeof options === 'object' && options !== null) return options;
  throw new UsageError(`Expected an object as the default export of ${file} (--options)`, command);
}

async function moduleOf(file: string): Promise<{ default?: unknown }> {
  try {
    return await import(pathToFileURL(path.resolve(file)).href);
  } catch (cause) {
    const { code = 'ERR_DTESN_ARGUMENT' } = (cause ?? {}) as { code?: string };
    throw new NamedError(`${file} (--options) cannot be loaded: ${String(cause)}`, code, { cause });
  }
}

/** A named engine that gave no source at all ends a strict command, and is a note beside the answer of another. */
export function judgeEngine(processor: DtesnProcessor, data: MultiSourceData, strict = false): void {
  const engine = processor.engine;
  if (engine === null || engine.simulated) return;
  const sources = engineSourceNames.map((name: EngineSourceName) => data.sources[name]);
  if (sources.some(({ state }) => state !== 'error')) return;
  const { error = 'unknown', error_code = 'ERR_DTESN_SOURCE' } = sources[0]!;
  const sentence = `The engine ${engine.label} did not answer: ${error}`;
  if (strict) throw new NamedError(sentence, error_code);
  note(`${sentence}. The plan rests on defaults; --strict makes this an error`);
}
