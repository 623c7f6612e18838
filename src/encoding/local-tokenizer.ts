/** The tokenizer of a model from its own files, without an engine: the same ids as the engine's /tokenize gives. */
import { z } from 'zod';
import { argumentError, checkOptions, DtesnError, describe } from '../errors/index.js';
import { importOptional } from '../host/index.js';
import { isToken } from './token.js';
import { TokenizerThread } from './tokenizer-thread.js';

export const optionsSchema = z.object({
  timeoutMs: z.number().positive().max(600_000).default(5000).describe('milliseconds in (0, 600000]'),
  signal: z.instanceof(AbortSignal).optional().describe('an AbortSignal'),
});

/** Options of LocalTokenizer.load: its time limit, and a signal. */
export interface LocalTokenizerOptions {
  /** Milliseconds for each question, in (0, 600,000]; the thread ends when one takes longer. Default 5000. */
  timeoutMs?: number | undefined;
  /** Ends the loading, which then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined;
}

/** Threads of tokenizers that were dropped without close(). */
const dropped = new FinalizationRegistry<TokenizerThread>((thread) => thread.close());

/**
 * The tokenizer of a model from its own files, without an engine: the same ids as the engine's /tokenize gives.
 *
 *     const tokenizer = await LocalTokenizer.load('/models/llama');
 *     await tokenizer.encodeAsync('Once upon a time');          // the event loop goes on
 *     tokenizer.decode(tokenizer.encode('Once upon a time'));   // waits
 *
 * Reads tokenizer.json, and tokenizer_config.json where there is one. As the engine does by default, `encode` adds the
 * marks the tokenizer adds (such as <s>) and `decode` shows them; spaces are cleaned up only where the config asks for it.
 * Needs the optional package @huggingface/tokenizers.
 *
 * Files are programs: tokenizer.json can hold a regular expression that never ends. They run on a thread of their own, which
 * ends when a question takes longer than `timeoutMs`; the next question starts another. The thread holds no process
 * alive; `close()` ends it, and so does the collection of the tokenizer.
 *
 * Limits: 64 MiB for tokenizer.json, 4 MiB for its config.
 * Errors: DtesnError ERR_DTESN_PACKAGE without that package; ERR_DTESN_TOKENIZER for files or texts it cannot take, or not
 * in time; TypeError or RangeError ERR_DTESN_ARGUMENT; the signal's reason.
 */
export class LocalTokenizer {
  /** The folder that the files were read from. */
  readonly folder: string;
  readonly #thread: TokenizerThread;

  static async load(folder: string, options: LocalTokenizerOptions = {}): Promise<LocalTokenizer> {
    if (typeof folder !== 'string' || folder === '') throw argumentError('the path of a folder', 'folder', folder);
    const { timeoutMs, signal } = checkOptions(optionsSchema, options, 'LocalTokenizer');
    signal?.throwIfAborted();
    await importOptional('@huggingface/tokenizers', '^0.2.0', 'the local tokenizer');
    const thread = new TokenizerThread(folder, timeoutMs);
    try {
      await thread.ask('load', null, signal);
    } catch (cause) {
      thread.close();
      signal?.throwIfAborted();
      const why = (cause as Error).message;
      throw new DtesnError('ERR_DTESN_TOKENIZER', `Cannot load the tokenizer in ${folder}: ${why}`, { cause });
    }
    return new LocalTokenizer(folder, thread);
  }

  private constructor(folder: string, thread: TokenizerThread) {
    this.folder = folder;
    this.#thread = thread;
    dropped.register(this, thread);
  }

  /** Waits for the ids, at most `timeoutMs`, and holds up this thread meanwhile. */
  encode(text: string): number[] {
    checkText(text);
    return this.#checkIds(this.#waited(() => this.#thread.askNow('encode', text)));
  }

  /**
   * Token ids of a text; the event loop goes on. Rejects with DtesnError ERR_DTESN_TOKENIZER, or the reason of the
   * signal.
   */
  async encodeAsync(text: string, { signal }: { signal?: AbortSignal } = {}): Promise<number[]> {
    checkText(text);
    return this.#checkIds(await this.#thread.ask('encode', text, signal).catch((cause) => this.#fail(cause, signal)));
  }

  /** Waits for the text, at most `timeoutMs`, and holds up this thread meanwhile. */
  decode(ids: readonly number[]): string {
    checkGiven(ids);
    if (ids.length === 0) return ''; // the library takes no empty list
    return this.#waited(() => this.#thread.askNow('decode', ids)) as string;
  }

  /**
   * The text of token ids; the event loop goes on. Rejects with DtesnError ERR_DTESN_TOKENIZER, or the reason of the
   * signal.
   */
  async decodeAsync(ids: readonly number[], { signal }: { signal?: AbortSignal } = {}): Promise<string> {
    checkGiven(ids);
    if (ids.length === 0) return '';
    return (await this.#thread.ask('decode', ids, signal).catch((cause) => this.#fail(cause, signal))) as string;
  }

  /** Ends the thread. A question after it starts another. */
  close(): void {
    this.#thread.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #checkIds(value: unknown): number[] {
    const ids = value as unknown[];
    const wrong = ids.findIndex((id) => !isToken(id));
    if (wrong < 0) return ids as number[];
    const why = `${describe(ids[wrong])} at position ${wrong}`;
    const message = `Expected token ids of the tokenizer in ${this.folder} but it returned ${why}`;
    throw new DtesnError('ERR_DTESN_TOKENIZER', message);
  }

  #waited(question: () => unknown): unknown {
    try {
      return question();
    } catch (cause) {
      return this.#fail(cause);
    }
  }

  #fail(cause: unknown, signal?: AbortSignal): never {
    signal?.throwIfAborted();
    const why = (cause as Error).message;
    throw new DtesnError('ERR_DTESN_TOKENIZER', `The tokenizer in ${this.folder} failed: ${why}`, { cause });
  }
}

function checkText(text: unknown): void {
  if (typeof text !== 'string') throw argumentError('a string', 'text', text);
}

function checkGiven(ids: unknown): void {
  if (!Array.isArray(ids) || !ids.every(isToken)) throw argumentError('an array of token ids', 'ids', ids);
}
