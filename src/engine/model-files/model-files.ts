/**
 * The files of a model on this host, read: config.json, generation_config.json, tokenizer.json and tokenizer_config.json
 * of a folder in the layout of Hugging Face, or the header of one GGUF file.
 *
 * Each file may be absent. One that is there and wrong is a sentence in `problems` as long as another file says something.
 * Limits: 4 MiB a file, 64 MiB for tokenizer.json and for the header. Those two are read once as long as they do not change
 * (size, time, inode), so a time limit that the first reading missed is met by the next.
 * Errors: DtesnError ERR_DTESN_MODEL_FILES when no file says anything.
 */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { DtesnError } from '../../errors/index.js';
import type { ModelFiles } from '../engine.js';
import {
  configFacts,
  generationFacts,
  type JsonObject,
  joinFacts,
  type SomeFacts,
  tokenizerConfigFacts,
  tokenizerFacts,
} from '../model-facts.js';
import { type GgufHeader, readGguf } from './gguf.js';
import type { ModelFolder } from './model-folder.js';

const mebibyte = 1024 * 1024;

export async function readModelFiles(place: ModelFolder): Promise<ModelFiles> {
  const { path: folder, hubId } = place;
  if (place.kind === 'gguf') {
    const header = await remembered(folder, readGguf);
    return { folder, hubId, config: {}, facts: joinFacts([[path.basename(folder), ggufFacts(header)]]), problems: [] };
  }
  const [config, generation, tokenizer, tokenizerConfig] = await Promise.all([
    read(folder, 'config.json', ({ json }) => ({ json, facts: configFacts(json) })),
    read(folder, 'generation_config.json', ({ json }) => ({ facts: generationFacts(json) })),
    read(folder, 'tokenizer.json', ({ json, bytes }) => ({ facts: tokenizerFacts(json, sha256(bytes)) })),
    read(folder, 'tokenizer_config.json', ({ json }) => ({ facts: tokenizerConfigFacts(json) })),
  ]);
  const outcomes = [generation, config, tokenizer, tokenizerConfig]; // what generation uses counts before the model's own
  if (outcomes.every(({ found }) => found === null)) throw nothingSaid(folder, [config, ...outcomes]);
  return {
    folder,
    hubId,
    config: config.found?.json ?? {},
    facts: joinFacts(outcomes.flatMap(({ name, found }) => (found ? [[name, found.facts] as const] : []))),
    problems: outcomes.flatMap(({ problem }) => problem ?? []),
  };
}

interface Outcome<T> {
  name: string;
  /** Null when the file is absent or wrong. */
  found: T | null;
  /** What is wrong with a file that is there. */
  problem: string | null;
  cause: unknown;
}

interface JsonFile {
  json: JsonObject;
  bytes: Uint8Array;
}

async function read<T>(folder: string, name: string, take: (file: JsonFile) => T): Promise<Outcome<T>> {
  const file = path.join(folder, name);
  try {
    const found = await (name === 'tokenizer.json'
      ? remembered(file, async () => take(await readJson(file, 64 * mebibyte)))
      : readJson(file, 4 * mebibyte).then(take));
    return { name, found, problem: null, cause: null };
  } catch (cause) {
    const absent = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    return { name, found: null, problem: absent ? null : `${file}: ${(cause as Error).message}`, cause };
  }
}

async function readJson(file: string, maxBytes: number): Promise<JsonFile> {
  const found = await stat(file);
  if (!found.isFile() || found.size > maxBytes) throw new Error(`not a regular file of at most ${maxBytes} bytes`);
  const bytes = await readFile(file);
  const json: unknown = JSON.parse(bytes.toString('utf8'));
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error('not a JSON object');
  return { json: json as JsonObject, bytes };
}

/** What was taken from the last few large files, until they change. */
const memory = new Map<string, { state: string; taken: Promise<unknown> }>();
const mostRemembered = 8;

async function remembered<T>(file: string, take: (file: string) => Promise<T>): Promise<T> {
  const found = await stat(file).catch(() => null);
  if (found === null) return take(file); // which says what is wrong
  const state = `${found.size} ${found.mtimeMs} ${found.ino}`;
  const known = memory.get(file);
  if (known?.state === state) return known.taken as Promise<T>;
  const taken = take(file);
  const entry = { state, taken };
  taken.catch(() => memory.get(file) === entry && memory.delete(file));
  memory.delete(file);
  memory.set(file, entry);
  if (memory.size > mostRemembered) memory.delete(memory.keys().next().value!);
  return taken;
}

function ggufFacts({ hiddenSize, trainedLength, vocabSize, tokenizerSize, dtype }: GgufHeader): SomeFacts {
  return { hiddenSize, trainedLength, vocabSize, tokenizerSize, dtype };
}

function sha256(bytes: Uint8Array): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(bytes).digest('hex');
}

function nothingSaid(folder: string, outcomes: Outcome<unknown>[]): DtesnError {
  const { problem, name, cause } = outcomes.find((outcome) => outcome.problem !== null) ?? outcomes[0]!;
  const why = problem ?? `${path.join(folder, name)}: ${(cause as Error).message}`;
  return new DtesnError('ERR_DTESN_MODEL_FILES', `Cannot read the model files in ${folder}: ${why}`, { cause });
}
