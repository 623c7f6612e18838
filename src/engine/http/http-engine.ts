/**
 * Client of an inference engine over HTTP, of whatever kind it is: Aphrodite, vLLM, SGLang, llama.cpp's server, TGI or
 * Ollama.
 */
import { z } from 'zod';
import { type Clock, clockOption, SharedWork, untilAborted } from '../../abort/index.js';
import { argumentError, checkOptions, DtesnError, rangeError } from '../../errors/index.js';
import {
  type Engine,
  type EngineKind,
  engineKinds,
  type ModelCard,
  type ModelFiles,
  type RequestOptions,
  type Tokenization,
} from '../engine.js';
import { isEngineError } from '../engine-error.js';
import { type AllowedPlaces, findModelFolder, givenModelFolder, readModelFiles } from '../model-files/index.js';
import type { Dialect } from './dialects/index.js';
import { aphrodite, llamaCpp, ollama, sglang, tgi, vllm } from './dialects/index.js';
import { detectKind } from './engine-detection.js';
import { EngineHttp, type EnginePlace } from './engine-http.js';
import { HttpClient } from './http-client.js';
import { checkTokenization } from './tokenization-check.js';

export const optionsSchema = z.object({
  kind: z
    .enum(engineKinds)
    .optional()
    .describe(`one of ${engineKinds.join(', ')}`),
  apiKey: z.string().min(1).optional().describe('a string that is not empty'),
  modelDir: z.string().min(1).optional().describe('the path of a GGUF file or of a folder with config.json'),
  modelFolders: z.array(z.string().min(1)).optional().describe('an array of paths of folders'),
  hubCache: z.boolean().optional().describe('true or false'),
  socketPath: z.string().min(1).optional().describe('the path of a Unix domain socket'),
  ca: z.string().includes('BEGIN CERTIFICATE').optional().describe('certificates in PEM'),
  timeoutMs: z.number().positive().max(600_000).default(1000).describe('milliseconds in (0, 600000]'),
  clock: clockOption,
});

/** Options of HttpEngine. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT that names the option. */
export interface HttpEngineOptions {
  /** Kind of the engine. Default: detected with the first request. */
  kind?: EngineKind | undefined;
  /**
   * API key, sent as a bearer token and only to the paths that the kind of engine guards; visible ASCII characters.
   * Default: none.
   */
  apiKey?: string | undefined;
  /** The folder of the model's files on this host, or its GGUF file. Default: where the last answer about models says, if allowed. */
  modelDir?: string | undefined;
  /** Folders inside of which the engine's answer may name the model's files. Default: none, an engine is not trusted with them. */
  modelFolders?: string[] | undefined;
  /** Whether the model's files may be looked for in the Hugging Face cache (model-folder.ts). Default false. */
  hubCache?: boolean | undefined;
  /** A Unix domain socket; the URL still gives scheme and root path. Default: TCP. */
  socketPath?: string | undefined;
  /** Trusted authorities in PEM for https. Default: those of Node. */
  ca?: string | undefined;
  /** Milliseconds for one request, in (0, 600,000]. Default 1000. */
  timeoutMs?: number | undefined;
  /** What `timeoutMs` is measured by. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

const dialects: Record<EngineKind, Dialect> = { aphrodite, vllm, sglang, llamacpp: llamaCpp, tgi, ollama };

/**
 * Client of an inference engine over HTTP, of whatever kind it is: Aphrodite, vLLM, SGLang, llama.cpp's server, TGI or
 * Ollama. The kind is detected with the first question (see engine-detection.ts) and forgotten when nothing listens any
 * more; an engine that hides its kind is spoken to as vLLM is. Read-only.
 *
 * Limits: 8 MiB for /metrics, 1 MiB for JSON, 16 KiB of headers. Errors: EngineError, see engine-error.ts.
 */
export class HttpEngine implements Engine {
  readonly label: string;
  readonly simulated = false;
  readonly #client: HttpClient;
  readonly #place: EnginePlace;
  readonly #modelDir: string | undefined;
  readonly #allowed: AllowedPlaces;
  /** The root of the base model, as last answered. */
  #modelRoot: string | null = null;
  readonly #given: EngineKind | undefined;
  readonly #detection: SharedWork<EngineKind | null>;
  #detected: { kind: EngineKind | null } | null = null;

  constructor(url: string | URL, options: HttpEngineOptions = {}) {
    const checked = checkOptions(optionsSchema, options, new.target.name);
    const { apiKey, modelDir, modelFolders, hubCache, socketPath, ca, timeoutMs, kind, clock } = checked;
    if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
      throw new DtesnError('ERR_DTESN_ARGUMENT', 'Expected visible ASCII characters for apiKey but it contains others');
    }
    const root = rootUrl(url);
    this.label = root.href.replace(/\/$/, '') + (socketPath === undefined ? '' : ` on unix:${socketPath}`);
    this.#client = new HttpClient({ secure: root.protocol === 'https:', timeoutMs, socketPath, ca, clock });
    this.#place = { client: this.#client, root, label: this.label, apiKey, clock };
    this.#modelDir = modelDir;
    this.#allowed = { folders: modelFolders, hubCache };
    this.#given = kind;
    // Until the kind is known the key goes only where every kind may guard.
    const asker = new EngineHttp(this.#place, (path) => path.startsWith('v1/'));
    this.#detection = new SharedWork((signal) => detectKind(asker, { signal }));
  }

  async kind(options: RequestOptions = {}): Promise<EngineKind | null> {
    if (this.#given !== undefined) return this.#given;
    this.#detected ??= { kind: await this.#detection.result(options.signal) };
    return this.#detected.kind;
  }

  async models(options?: RequestOptions): Promise<ModelCard[]> {
    const cards = await this.#ask(options, (dialect, http) => dialect.models(http, options));
    this.#modelRoot = cards.find(({ parent }) => parent === null)?.root ?? null;
    return cards;
  }

  version(options?: RequestOptions): Promise<string> {
    return this.#ask(options, (dialect, http) => dialect.version(http, options));
  }

  health(options?: RequestOptions): Promise<void> {
    return this.#ask(options, (dialect, http) => dialect.health(http, options));
  }

  metrics(options?: RequestOptions): Promise<Uint8Array> {
    return this.#ask(options, (dialect, http) => dialect.metrics(http, options));
  }

  async tokenize(text: string, options?: RequestOptions): Promise<Tokenization> {
    if (typeof text !== 'string') throw argumentError('a string', 'text', text);
    return this.#ask(options, async (dialect, http) =>
      checkTokenization(http.label, text, await dialect.tokenize(http, text, options)),
    );
  }

  async detokenize(tokens: number[], options?: RequestOptions): Promise<string> {
    if (!Array.isArray(tokens)) throw argumentError('an array of token ids', 'tokens', tokens);
    return this.#ask(options, (dialect, http) => dialect.detokenize(http, tokens, options));
  }

  async modelFiles({ signal }: RequestOptions = {}): Promise<ModelFiles | null> {
    signal?.throwIfAborted();
    const reading = this.#readModelFiles();
    return signal ? untilAborted(signal, reading) : reading;
  }

  async #readModelFiles(): Promise<ModelFiles | null> {
    if (this.#modelDir !== undefined) return readModelFiles(givenModelFolder(this.#modelDir));
    const found = this.#modelRoot === null ? null : await findModelFolder(this.#modelRoot, this.#allowed);
    return found === null ? null : readModelFiles(found);
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * The dialect to speak, which may have to be found out first.
   * @internal
   */
  protected async dialect(options?: RequestOptions): Promise<Dialect> {
    return dialects[(await this.kind(options)) ?? 'vllm'];
  }

  async #ask<T>(
    options: RequestOptions | undefined,
    question: (dialect: Dialect, http: EngineHttp) => Promise<T>,
  ): Promise<T> {
    try {
      const dialect = await this.dialect(options);
      return await question(dialect, new EngineHttp(this.#place, dialect.keyed));
    } catch (error) {
      // What listens there next may be another engine.
      if (isEngineError(error) && error.code === 'ERR_DTESN_ENGINE_REFUSED') this.#detected = null;
      throw error;
    }
  }
}

/** The URL with a trailing slash, so that endpoints resolve below a root path. */
function rootUrl(given: string | URL): URL {
  const expected = 'an http or https URL without user, query or fragment';
  if (typeof given !== 'string' && !(given instanceof URL)) throw argumentError(expected, 'url', given);
  const url = URL.canParse(String(given)) ? new URL(given) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw rangeError(expected, 'url', String(given));
  }
  if (url.username !== '' || url.password !== '') throw rangeError(expected, 'url', 'one with a user'); // never shown
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}
