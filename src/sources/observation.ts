/**
 * One observation of a source: asks under a time limit and says what came of it. A source that fails is a record with
 * `error` and `error_code`, not an exception; only the caller's own abort rejects.
 *
 * `ERR_DTESN_SOURCE_TIMEOUT` names the source, the limit and the question. An answer with null fields is `partial`.
 */

import { untilAborted, withTimeLimit } from '../abort/index.js';
import type { Engine } from '../engine/index.js';
import { isEngineError } from '../engine/index.js';
import { DtesnError } from '../errors/index.js';
import type { Outcome, SourceFields, SourceName, Sources } from './types.js';

export interface SourceOptions {
  /** Milliseconds until the source counts as failed; 1000 by default. */
  timeoutMs?: number | undefined;
  /** Ends the question. */
  signal?: AbortSignal | undefined;
}

export interface Question<Name extends SourceName> {
  source: Name;
  /** The request without whose answer the source fails, as a person names it. */
  request: string;
  /** The record when nothing is known. */
  nothing: SourceFields[Name];
  ask: (inquiry: Inquiry) => Promise<SourceFields[Name]>;
}

/** What one observation asks: everything ends when its signal aborts. */
export class Inquiry {
  readonly signal: AbortSignal;
  /** Why fields are unknown. */
  readonly problems: string[] = [];

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  /** The answer without which the source fails. */
  needed<T>(work: Promise<T>): Promise<T> {
    return untilAborted(this.signal, work);
  }

  /** An answer that only adds to the source: null, and a problem, when it fails. */
  async added<T>(what: string, work: Promise<T>): Promise<T | null> {
    try {
      return await untilAborted(this.signal, work);
    } catch (error) {
      this.problems.push(this.signal.aborted ? `${what} did not answer in time` : failure(error).error);
      return null;
    }
  }
}

export async function observe<Name extends SourceName>(
  question: Question<Name>,
  { timeoutMs = 1000, signal }: SourceOptions,
): Promise<Sources[Name]> {
  const { source, request, nothing, ask } = question;
  const start = performance.now();
  try {
    return await underLimit(source, request, { timeoutMs, signal }, async (limit) => {
      const inquiry = new Inquiry(limit);
      const fields = await ask(inquiry);
      const problems = inquiry.problems.length > 0 ? { problems: inquiry.problems } : {};
      return record(source, fields, performance.now() - start, problems);
    });
  } catch (error) {
    signal?.throwIfAborted();
    return record(source, nothing, performance.now() - start, { state: 'error', ...failure(error) });
  }
}

/** Asks for a source; the limit aborts with ERR_DTESN_SOURCE_TIMEOUT. */
export function underLimit<T>(
  source: string,
  request: string,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal | undefined },
  ask: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const shown = Number(timeoutMs.toFixed(timeoutMs < 10 ? 1 : 0));
  const late = () =>
    new DtesnError('ERR_DTESN_SOURCE_TIMEOUT', `${source} source did not answer within ${shown} ms (${request})`);
  return withTimeLimit(timeoutMs, late, signal, ask);
}

function record<Name extends SourceName>(
  source: Name,
  fields: SourceFields[Name],
  latency: number,
  outcome: Partial<Outcome>,
): Sources[Name] {
  const unknown = Object.entries(fields).flatMap(([name, value]) => (value === null ? [name] : []));
  const now = Date.now() / 1000;
  const said: Outcome = {
    state: unknown.length === 0 ? 'ok' : 'partial',
    latency_ms: latency,
    age_ms: 0,
    unknown,
    fetch_timestamp: now,
    fresh_until: now,
    cache: 'miss',
    ...outcome,
  };
  // The compiler cannot see that the fields of a name and its outcome are the record of that name.
  return { ...fields, source_type: source, ...said } as unknown as Sources[Name];
}

/** What a record says of an error, of whatever kind it is: a host may throw anything. */
export function failure(error: unknown): { error: string; error_code: string; http_status?: number } {
  const { message, code } = textOf(error);
  const said = { error: message, error_code: code };
  const status = isEngineError(error) ? error.status : null;
  return status === null ? said : { ...said, http_status: status };
}

function textOf(error: unknown): { message: string; code: string } {
  try {
    const { message, code } = (error ?? {}) as { message?: unknown; code?: unknown };
    return {
      message: typeof message === 'string' ? message : String(error),
      code: typeof code === 'string' ? code : 'ERR_DTESN_SOURCE',
    };
  } catch {
    return { message: 'an error that cannot be read', code: 'ERR_DTESN_SOURCE' };
  }
}

export function required(engine: Engine | null): Engine {
  if (engine !== null) return engine;
  throw new DtesnError('ERR_DTESN_NO_ENGINE', 'No engine is named, so there is none to ask');
}
