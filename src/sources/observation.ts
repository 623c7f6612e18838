/**
 * One observation of a source: sends its requests under a time limit and returns its record. A source that fails is a record with
 * `error` and `error_code`, not an exception; only the caller's own abort rejects.
 *
 * `ERR_DTESN_SOURCE_TIMEOUT` names the source, the limit and the question. An answer with null fields is `partial`.
 */

import { type Clock, systemClock, untilAborted, wallMs, withTimeLimit } from '../abort/index.js';
import type { Engine } from '../engine/index.js';
import { isEngineError } from '../engine/index.js';
import { DtesnError } from '../errors/index.js';
import type { Outcome, SourceFields, SourceName, Sources } from './types.js';

/** Options of fetching one source. */
export interface SourceOptions {
  /** Milliseconds until the source counts as failed; 1000 by default. */
  timeoutMs?: number | undefined;
  /** Ends the question, which then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined;
  /** How old an answer may be that another reader of the same engine had. Default 0: each is asked for. */
  maxAgeMs?: number | undefined;
  /** What latencies and ages are measured by. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
  /** What the limit is measured by. Default: `clock`. */
  limitClock?: Clock | undefined;
}

export interface Question<Name extends SourceName> {
  source: Name;
  /** The required request, as errors name it. */
  request: string;
  /** The record when nothing is known. */
  nothing: SourceFields[Name];
  ask: (requests: SourceRequests) => Promise<SourceFields[Name]>;
}

/** The requests of one observation; all end when its signal aborts. */
export class SourceRequests {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly maxAgeMs: number;
  /** Why fields are unknown. */
  readonly problems: string[] = [];
  readonly #begun: number;
  #ageMs = 0;

  constructor(signal: AbortSignal, clock: Clock, maxAgeMs: number) {
    this.signal = signal;
    this.clock = clock;
    this.maxAgeMs = maxAgeMs;
    this.#begun = clock.now();
  }

  /** 0 for what was answered since this observation began. */
  get ageMs(): number {
    return this.#ageMs;
  }

  /** Notes when the answer came, in milliseconds of the clock: before this observation where another reader had it. */
  answeredAt(ms: number): void {
    if (ms < this.#begun) this.#ageMs = this.clock.now() - ms;
  }

  /** An answer without which the source fails. */
  require<T>(work: Promise<T>): Promise<T> {
    return untilAborted(this.signal, work);
  }

  /** An answer that only adds to the source: null, and a problem, when it fails. */
  async optional<T>(what: string, work: Promise<T>): Promise<T | null> {
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
  { timeoutMs = 1000, signal, maxAgeMs = 0, clock = systemClock, limitClock = clock }: SourceOptions,
): Promise<Sources[Name]> {
  const { source, request, nothing, ask } = question;
  const start = clock.now();
  try {
    return await underLimit(source, request, { timeoutMs, signal, clock: limitClock }, async (limit) => {
      const requests = new SourceRequests(limit, clock, maxAgeMs);
      const fields = await ask(requests);
      const problems = requests.problems.length > 0 ? { problems: requests.problems } : {};
      return record(source, fields, clock.now() - start, { age_ms: requests.ageMs, ...problems });
    });
  } catch (error) {
    signal?.throwIfAborted();
    return record(source, nothing, clock.now() - start, { state: 'error', ...failure(error) });
  }
}

/** Asks for a source; the limit aborts with ERR_DTESN_SOURCE_TIMEOUT. */
export function underLimit<T>(
  source: string,
  request: string,
  { timeoutMs, signal, clock }: { timeoutMs: number; signal: AbortSignal | undefined; clock: Clock },
  ask: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const shown = Number(timeoutMs.toFixed(timeoutMs < 10 ? 1 : 0));
  const late = () =>
    new DtesnError('ERR_DTESN_SOURCE_TIMEOUT', `${source} source did not answer within ${shown} ms (${request})`);
  return withTimeLimit(timeoutMs, late, signal, ask, clock);
}

function record<Name extends SourceName>(
  source: Name,
  fields: SourceFields[Name],
  latency: number,
  outcome: Partial<Outcome>,
): Sources[Name] {
  const unknown = Object.entries(fields).flatMap(([name, value]) => (value === null ? [name] : []));
  const answered = (wallMs() - (outcome.age_ms ?? 0)) / 1000;
  const said: Outcome = {
    state: unknown.length === 0 ? 'ok' : 'partial',
    latency_ms: latency,
    age_ms: 0,
    unknown,
    fetch_timestamp: answered,
    fresh_until: answered,
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
    return { message: 'an error whose message cannot be read', code: 'ERR_DTESN_SOURCE' };
  }
}

export function requireEngine(engine: Engine | null): Engine {
  if (engine !== null) return engine;
  throw new DtesnError('ERR_DTESN_NO_ENGINE', 'No engine is configured');
}
