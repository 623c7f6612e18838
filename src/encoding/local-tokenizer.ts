/**
 * The tokenizer of a model from its own files, without an engine: the same ids as the engine's /tokenize gives.
 *
 *     const tokenizer = await LocalTokenizer.load('/models/llama');
 *     tokenizer.decode(tokenizer.encode('Once upon a time'));
 *
 * Reads tokenizer.json, and tokenizer_config.json where there is one. As the engine does by default, `encode` adds the
 * marks the tokenizer adds (such as <s>) and `decode` shows them; spaces are cleaned up only where the config asks for it.
 * Needs the optional package @huggingface/tokenizers.
 *
 * Limits: 64 MiB for tokenizer.json, 4 MiB for its config.
 * Errors: DtesnError ERR_DTESN_PACKAGE without that package; ERR_DTESN_TOKENIZER for files or texts it cannot take;
 * TypeError ERR_DTESN_ARGUMENT.
 */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { argumentError, DtesnError, describe } from '../errors/index.js';
import { importOptional } from './optional-package.js';
import { isToken } from './token.js';

/** What is used of the package, whose own types do not resolve in ES modules. */
interface LibraryTokenizer {
  encode(text: string): { ids: unknown[] };
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
}
interface Library {
  Tokenizer: new (tokenizer: Json, config: Json) => LibraryTokenizer;
}

type Json = Record<string, unknown>;

const mebibyte = 1024 * 1024;

export class LocalTokenizer {
  readonly folder: string;
  readonly #tokenizer: LibraryTokenizer;
  readonly #cleanUp: boolean;

  static async load(folder: string): Promise<LocalTokenizer> {
    if (typeof folder !== 'string' || folder === '') throw argumentError('the path of a folder', 'folder', folder);
    const library = (await importOptional('@huggingface/tokenizers', '^0.2.0', 'the local tokenizer')) as Library;
    const file = path.join(folder, 'tokenizer.json');
    const settings = path.join(folder, 'tokenizer_config.json');
    try {
      const tokenizer = await readJson(file, 64 * mebibyte);
      const config = await readJson(settings, 4 * mebibyte).catch(unlessAbsent);
      return new LocalTokenizer(folder, new library.Tokenizer(tokenizer, config), config);
    } catch (cause) {
      const why = (cause as Error).message;
      throw new DtesnError('ERR_DTESN_TOKENIZER', `Expected a tokenizer in ${folder} but: ${why}`, { cause });
    }
  }

  private constructor(folder: string, tokenizer: LibraryTokenizer, config: Json) {
    this.folder = folder;
    this.#tokenizer = tokenizer;
    this.#cleanUp = config['clean_up_tokenization_spaces'] === true;
  }

  encode(text: string): number[] {
    if (typeof text !== 'string') throw argumentError('a string', 'text', text);
    const { ids } = this.#asked(() => this.#tokenizer.encode(text));
    const wrong = ids.findIndex((id) => !isToken(id));
    if (wrong < 0) return ids as number[];
    const why = `${describe(ids[wrong])} at position ${wrong}`;
    throw new DtesnError(
      'ERR_DTESN_TOKENIZER',
      `Expected token ids of the tokenizer in ${this.folder} but it gave ${why}`,
    );
  }

  decode(ids: readonly number[]): string {
    if (!Array.isArray(ids) || !ids.every(isToken)) throw argumentError('an array of token ids', 'ids', ids);
    if (ids.length === 0) return ''; // the library takes no empty list
    return this.#asked(() =>
      this.#tokenizer.decode([...ids], { skip_special_tokens: false, clean_up_tokenization_spaces: this.#cleanUp }),
    );
  }

  #asked<T>(question: () => T): T {
    try {
      return question();
    } catch (cause) {
      const why = (cause as Error).message;
      throw new DtesnError('ERR_DTESN_TOKENIZER', `The tokenizer in ${this.folder} failed: ${why}`, { cause });
    }
  }
}

async function readJson(file: string, maxBytes: number): Promise<Json> {
  const found = await stat(file);
  if (!found.isFile() || found.size > maxBytes) {
    throw new Error(`${file} is not a plain file of at most ${maxBytes} bytes`);
  }
  const json: unknown = JSON.parse(await readFile(file, 'utf8'));
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Json;
  throw new Error(`${file} is not a JSON object`);
}

function unlessAbsent(error: NodeJS.ErrnoException): Json {
  if (error.code === 'ENOENT') return {};
  throw error;
}
