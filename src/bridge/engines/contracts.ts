/** The questions and answers of an EngineSet. */
import type { EngineKind } from '../../engine/index.js';
import type { EngineStateName } from '../../monitor/index.js';
import type {
  AdmissionCounts,
  AdmissionMode,
  AdmissionRequest,
  FleetChoice,
  OutlookSkill,
  Refusal,
  TtftPrediction,
  WithheldRefusal,
} from '../../outlook/index.js';
import type { AnomalyItem } from './engine-item.js';
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

/** An engine, as an answer names it. */
export interface NamedPlace {
  /** The engine's name. */
  engine: string;
  url: string;
  kind: EngineKind | null;
  simulated: boolean;
}

export interface PickAnswer extends NamedPlace {
  /** One sentence. */
  reason: string;
  /** The rule that chose it. */
  rule: FleetChoice['reason'];
  cost: number;
  /** Engines that could have been chosen. */
  candidates: number;
  /**
   * The 90th percentiles of the engine's latency: observed lately, and the time to first token of this request as it is predicted
   * where callers report theirs.
   */
  expected: ExpectedLatency;
  /** Whether that meets the objectives of the request; null where it has none, and where it is not known. */
  meetsSlo: boolean | null;
  /** When the first token is expected; null where the engine was chosen by its load. */
  ttft: TtftPrediction | null;
}

export type AdmitRequest = AdmissionRequest;

export type AdmitAnswer = { mode: AdmissionMode } & (
  | ({ admitted: true; ttft: TtftPrediction; withheld: WithheldRefusal | null } & NamedPlace)
  | ({ admitted: false } & Refusal)
);

/** What is expected of one engine. */
export interface OutlookItem {
  engine: string;
  state: EngineStateName;
  /** Tokens of the prompt that is predicted for. */
  promptTokens: number;
  ttft: TtftPrediction;
  /** Requests that callers dispatched and did not finish. */
  tickets: number;
  /** Tokens of the prompts of those of them whose first token did not come. */
  ticketPromptTokens: number;
  skill: OutlookSkill;
  /** What is wrong with it while it answers. */
  anomalies: AnomalyItem[];
  /** Anomalies a day of watch: in normal operation the false alarms; null before the first figures. */
  alarmsPerDay: number | null;
}

export interface OutlookAnswer {
  items: OutlookItem[];
  /** Of all engines together. */
  skill: OutlookSkill;
  admission: { mode: AdmissionMode } & AdmissionCounts;
}

export interface DispatchRequest {
  /** The name of the engine that the request went to. */
  engine: string;
  promptTokens?: number | undefined;
  /** That of `pick`: the prefix of a session is in the cache of the engine that it was sent to. */
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
