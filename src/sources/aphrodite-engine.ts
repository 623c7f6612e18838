/**
 * Client of an Aphrodite or vLLM server over its HTTP surface, read-only: GET /v1/models, /version, /health, /metrics,
 * POST /tokenize, /detokenize. The key guards only paths under /v1, so it is sent only there.
 *
 * Options: `apiKey`; `modelDir`, the folder of the model's config.json on this host, or its GGUF file; left out, where
 * the last answer of /v1/models says, if that is here (model-folder.ts); `timeoutMs` for one request, 1000.
 * Limits: 8 MiB for /metrics, 1 MiB for JSON. Errors: EngineError, see engine-error.ts.
 */
import { z } from 'zod';
import { argumentError, checkOptions, DtesnError, rangeError } from '../errors/index.js';
import type { Engine, ModelCard, ModelFiles, RequestOptions, Tokenization } from './engine.js';
import { EngineError, statusError } from './engine-error.js';
import { type HttpAnswer, HttpClient, type HttpRequest } from './http-client.js';
import { readModelFiles } from './model-files.js';
import { findModelFolder, givenModelFolder } from './model-folder.js';

const optionsSchema = z.object({
  apiKey: z.string().min(1).optional().describe('a string that is not empty'),
  modelDir: z.string().min(1).optional().describe('the path of a GGUF file or of a folder with config.json'),
  timeoutMs: z.number().positive().max(600_000).default(1000).describe('milliseconds in (0, 600000]'),
});
export type AphroditeEngineOptions = z.input<typeof optionsSchema>;

const maxMetricsBytes = 8 * 1024 * 1024;
const maxJsonBytes = 1024 * 1024;

const maxModelLen = z.number().int().positive().nullish();
const modelsBody = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      root: z.string().nullish(),
      parent: z.string().nullish(),
      max_model_len: maxModelLen,
      owned_by: z.string().nullish(),
    }),
  ),
});
const versionBody = z.object({ version: z.string() });
const tokenizeBody = z.object({
  tokens: z.array(z.number().int().nonnegative()),
  count: z.number().int().nonnegative(),
  max_model_len: maxModelLen,
});
const detokenizeBody = z.object({ prompt: z.string() });

export class AphroditeEngine implements Engine {
  readonly label: string;
  readonly simulated = false;
  readonly #root: URL;
  readonly #apiKey: string | undefined;
  readonly #modelDir: string | undefined;
  /** The root of the base model, as last answered. */
  #modelRoot: string | null = null;
  readonly #http: HttpClient;

  constructor(url: string | URL, options: AphroditeEngineOptions = {}) {
    const { apiKey, modelDir, timeoutMs } = checkOptions(optionsSchema, options, 'AphroditeEngine');
    if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
      throw new DtesnError('ERR_DTESN_ARGUMENT', 'Expected visible ASCII characters for apiKey but it has others');
    }
    this.#root = rootUrl(url);
    this.label = this.#root.href.replace(/\/$/, '');
    this.#apiKey = apiKey;
    this.#modelDir = modelDir;
    this.#http = new HttpClient(this.#root.protocol === 'https:', timeoutMs);
  }

  async models(options?: RequestOptions): Promise<ModelCard[]> {
    const { data } = await this.#json('GET', 'v1/models', modelsBody, undefined, options);
    const cards = data.map((card) => ({
      id: card.id,
      root: card.root ?? null,
      parent: card.parent ?? null,
      maxModelLen: card.max_model_len ?? null,
      ownedBy: card.owned_by ?? null,
    }));
    this.#modelRoot = cards.find(({ parent }) => parent === null)?.root ?? null;
    return cards;
  }

  async version(options?: RequestOptions): Promise<string> {
    return (await this.#json('GET', 'version', versionBody, undefined, options)).version;
  }

  async health(options?: RequestOptions): Promise<void> {
    await this.#ask('GET', 'health', maxJsonBytes, undefined, options);
  }

  async metrics(options?: RequestOptions): Promise<Uint8Array> {
    return (await this.#ask('GET', 'metrics', maxMetricsBytes, undefined, options)).body;
  }

  async tokenize(text: string, options?: RequestOptions): Promise<Tokenization> {
    if (typeof text !== 'string') throw argumentError('a string', 'text', text);
    const { count, max_model_len, tokens } = await this.#json(
      'POST',
      'tokenize',
      tokenizeBody,
      { prompt: text },
      options,
    );
    return { count, maxModelLen: max_model_len ?? null, tokens };
  }

  async detokenize(tokens: number[], options?: RequestOptions): Promise<string> {
    if (!Array.isArray(tokens)) throw argumentError('an array of token ids', 'tokens', tokens);
    return (await this.#json('POST', 'detokenize', detokenizeBody, { tokens }, options)).prompt;
  }

  async modelFiles(): Promise<ModelFiles | null> {
    if (this.#modelDir !== undefined) return readModelFiles(givenModelFolder(this.#modelDir));
    const found = this.#modelRoot === null ? null : await findModelFolder(this.#modelRoot);
    return found === null ? null : readModelFiles(found);
  }

  async close(): Promise<void> {
    this.#http.close();
  }

  async #json<T>(
    method: HttpRequest['method'],
    path: string,
    schema: z.ZodType<T>,
    body: object | undefined,
    options: RequestOptions | undefined,
  ): Promise<T> {
    const answer = await this.#ask(method, path, maxJsonBytes, body, options);
    const refuse = (why: string, cause?: unknown) =>
      new EngineError('ERR_DTESN_ENGINE_BODY', `${method} /${path} of ${this.label} ${why}`, { cause });
    let parsed: unknown;
    try {
      parsed = JSON.parse(Buffer.from(answer.body).toString('utf8'));
    } catch (cause) {
      throw refuse(`answered ${answer.contentType || 'a body'} that is not JSON`, cause);
    }
    const checked = schema.safeParse(parsed);
    if (checked.success) return checked.data;
    const issue = checked.error.issues[0]!;
    throw refuse(`answered JSON of another shape (${issue.path.join('.') || 'body'}: ${issue.message})`, checked.error);
  }

  async #ask(
    method: HttpRequest['method'],
    path: string,
    maxBytes: number,
    body: object | undefined,
    options: RequestOptions | undefined,
  ): Promise<HttpAnswer> {
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (this.#apiKey !== undefined && path.startsWith('v1/')) headers['authorization'] = `Bearer ${this.#apiKey}`;
    const request: HttpRequest = { method, url: new URL(path, this.#root), headers, maxBytes };
    if (body !== undefined) {
      request.body = JSON.stringify(body);
      headers['content-type'] = 'application/json';
      headers['content-length'] = String(Buffer.byteLength(request.body));
    }
    const answer = await this.#http.exchange(request, options?.signal);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw statusError(`${method} /${path} of ${this.label}`, answer.status, answer.body);
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
