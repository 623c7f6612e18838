/**
 * Questions to one engine over HTTP: paths below its root, the key where it belongs, bounded answers in a known shape.
 *
 * The key is taken out of what comes back (redaction.ts).
 * Limits: 8 MiB for metrics, 1 MiB for JSON, after decoding. Errors: EngineError, see engine-error.ts.
 */
import type { z } from 'zod';
import type { Clock } from '../../abort/index.js';
import type { RequestOptions } from '../engine.js';
import { EngineError, statusError } from '../engine-error.js';
import type { HttpAnswer, HttpClient, HttpRequest } from './http-client.js';
import { Redaction } from './redaction.js';

export const maxMetricsBytes = 8 * 1024 * 1024;
const maxJsonBytes = 1024 * 1024;

export interface EnginePlace {
  client: HttpClient;
  /** With a trailing slash, so that paths resolve below it. */
  root: URL;
  label: string;
  apiKey: string | undefined;
  clock: Clock;
}

export interface EngineQuestion {
  /** GET without a body, POST with one. */
  body?: object;
  maxBytes?: number;
  /** Never waits for other questions to end. */
  vital?: boolean;
}

export class EngineHttp {
  readonly label: string;
  readonly clock: Clock;
  readonly #place: EnginePlace;
  readonly #keyed: (path: string) => boolean;
  readonly #redaction: Redaction;

  /** `keyed` says which paths the key is for: it is sent nowhere else. */
  constructor(place: EnginePlace, keyed: (path: string) => boolean) {
    this.label = place.label;
    this.clock = place.clock;
    this.#place = place;
    this.#keyed = keyed;
    this.#redaction = new Redaction(place.apiKey);
  }

  /** A 2xx answer; every other status rejects. */
  async ask(path: string, { body, maxBytes = maxJsonBytes, vital = false }: EngineQuestion, options?: RequestOptions) {
    const { client, root, apiKey } = this.#place;
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (apiKey !== undefined && this.#keyed(path)) headers['authorization'] = `Bearer ${apiKey}`;
    if (options?.traceparent !== undefined) headers['traceparent'] = options.traceparent;
    const method = body === undefined ? 'GET' : 'POST';
    const request: HttpRequest = { method, url: new URL(path, root), headers, maxBytes, vital };
    if (body !== undefined) {
      request.body = JSON.stringify(body);
      headers['content-type'] = 'application/json';
      headers['content-length'] = String(Buffer.byteLength(request.body));
    }
    const answer = await client.exchange(request, options?.signal).catch((error: unknown) => {
      throw this.#redaction.error(error);
    });
    if (answer.status >= 200 && answer.status < 300) return { ...answer, body: this.#redaction.body(answer.body) };
    throw statusError(`${method} /${path} of ${this.label}`, answer, (words) => this.#redaction.text(words));
  }

  /** JSON of a shape; what has another one is refused with the field that differs. */
  async json<T>(path: string, schema: z.ZodType<T>, body: object | undefined, options?: RequestOptions): Promise<T> {
    const answer = await this.ask(path, body === undefined ? {} : { body }, options);
    const refuse = (why: string, cause: unknown) => {
      const method = body === undefined ? 'GET' : 'POST';
      const message = `${method} /${path} of ${this.label} ${this.#redaction.text(why)}`;
      return new EngineError('ERR_DTESN_ENGINE_BODY', message, { cause });
    };
    let parsed: unknown;
    try {
      parsed = JSON.parse(Buffer.from(answer.body).toString('utf8'));
    } catch (error) {
      // The parser's message quotes the body, and may cut the key where no redaction finds it.
      const cause = new SyntaxError((error as Error).message.replace(/"[\s\S]*"/, 'the body'));
      throw refuse(`answered ${contentType(answer) || 'a body'} that is not JSON`, cause);
    }
    const checked = schema.safeParse(parsed);
    if (checked.success) return checked.data;
    const issue = checked.error.issues[0]!;
    throw refuse(
      `answered JSON of an unexpected shape (${issue.path.join('.') || 'body'}: ${issue.message})`,
      checked.error,
    );
  }
}

function contentType({ headers }: HttpAnswer): string {
  return headers['content-type'] ?? '';
}
