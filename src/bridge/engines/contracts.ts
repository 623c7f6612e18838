/** The questions and answers of an EngineSet. */
import type { EngineKind } from '../../engine/index.js';
import type { FleetChoice } from '../../outlook/index.js';
import type { ExpectedLatency, Objectives } from './objectives.js';

/** An engine by its address, with its name and credentials, as a program gives it to a bridge. */
export interface EngineDefinition {
  /** `http://host:port`, `https://...`, `unix:/path` or `dns+http://host:port` (each address one engine). Required. */
  url: string;
  /** 1 to 256 characters, unique. Default: the URL. Not for `dns+` URLs: each address is named by its own. */
  name?: string | undefined;
  /** Kind of the engine. Default: detected. */
  kind?: EngineKind | undefined;
  /** API key, sent as a bearer token to the paths that the kind of engine guards. Default: none. */
  apiKey?: string | undefined;
  /** Trusted authorities in PEM for https. Default: those of Node. */
  ca?: string | undefined;
}

export interface PickRequest extends Objectives {
  /** Requests of one session go to one engine, as long as that is not much dearer. */
  session?: string | undefined;
  /** Tokens of the prompt: engines without that much free KV memory cost more. */
  promptTokens?: number | undefined;
}

export interface PickAnswer {
  /** The engine's name. */
  engine: string;
  url: string;
  kind: EngineKind | null;
  simulated: boolean;
  /** One sentence. */
  reason: string;
  /** The rule that chose it. */
  rule: FleetChoice['reason'];
  cost: number;
  /** Engines that could have been chosen. */
  candidates: number;
  /** What was observed of the engine's latency lately: the 90th percentiles. */
  expected: ExpectedLatency;
  /** Whether that meets the objectives of the request; null where it has none, and where it is not known. */
  meetsSlo: boolean | null;
}

export interface DispatchRequest {
  /** The name of the engine that the request went to. */
  engine: string;
  promptTokens?: number | undefined;
  /** That of `pick`, so that both can be asked with one object; no rule reads it. */
  session?: string | undefined;
  /** The caller's own ticket, 1 to 128 of [A-Za-z0-9._:-]: a repeated call with it opens no second one. Default: made here. */
  ticket?: string | undefined;
  /** Who says so, as the listener knows it (token or peer). Default: ''. */
  caller?: string | undefined;
}

export interface FinishRequest {
  ticket: string;
  /** How it ended, as the caller names it: 'ok', 'error', 'aborted'... */
  outcome: string;
  generatedTokens?: number | undefined;
  /** Load in the words of ORCA: the value of the header `endpoint-load-metrics` (text or JSON), or its JSON as an object. */
  orca?: string | Readonly<Record<string, unknown>> | undefined;
}

export interface TicketAnswer {
  /** Whether the ticket is open or was closed lately; false for one that is unknown, expired or dropped. */
  known: boolean;
}
