/**
 * Engine: what can be asked of an inference engine (Aphrodite, vLLM and others, or the simulation of one), read-only.
 */
import type { ModelFacts } from './model-facts.js';

/** Options of every request to an engine. */
export interface RequestOptions {
  /** Ends the request; it rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined;
  /** W3C trace context of the work that asks, sent as the header `traceparent`; well-formed. Default: none. */
  traceparent?: string | undefined;
}

/** The sources that an engine answers, and so one of several providers. */
export const engineSourceNames = ['model_config', 'tokenizer', 'performance'] as const;
/** A source that is read from an engine; the two others come from the processor and from this host. */
export type EngineSourceName = (typeof engineSourceNames)[number];

export const engineKinds = ['aphrodite', 'vllm', 'sglang', 'llamacpp', 'tgi', 'ollama'] as const;
/** The program that an engine runs: it decides the endpoints and the names of the metrics. */
export type EngineKind = (typeof engineKinds)[number];

/** One entry of GET /v1/models; adapters (LoRA) have a parent, base models have none. */
export interface ModelCard {
  id: string;
  root: string | null;
  parent: string | null;
  /** Tokens of prompt and output together. */
  maxModelLen: number | null;
  ownedBy: string | null;
  /** What some kinds of engine say beside it. */
  vocabSize?: number | null;
  hiddenSize?: number | null;
  dtype?: string | null;
  /** Where the card was read; GET /v1/models when left out. */
  readFrom?: { id: string; maxModelLen: string };
}

/** Token ids of a text as the engine counted them. */
export interface Tokenization {
  /** How many ids there are. */
  count: number;
  /** Tokens of prompt and output together that the engine takes; null where it does not say. */
  maxModelLen: number | null;
  /** The ids. */
  tokens: number[];
}

/** The files of a model on this host, and what they say of it. */
export interface ModelFiles {
  /** Where they lie: a folder, or one GGUF file. */
  folder: string;
  /** config.json, parsed; empty where there is none. */
  config: Readonly<Record<string, unknown>>;
  /** Whose files they are, 'org/name', where the path tells. */
  hubId?: string | null;
  /** What all the files say; left out, config is all there is. */
  facts?: ModelFacts;
  /** Files that are there and could not be read, one sentence each. */
  problems?: string[];
}

/**
 * Engine: what can be asked of an inference engine (Aphrodite, vLLM and others, or the simulation of one), read-only.
 *
 * Every method rejects with a DtesnError that has a stable code when the engine cannot answer, and with the signal's
 * reason when the caller aborts. Null means that the engine does not say.
 */
export interface Engine {
  /** Names the engine to a person and holds its URL: 'http://127.0.0.1:2242', 'embedded simulation on http://127.0.0.1:4711'. */
  readonly label: string;
  /** Whether it is a simulation: no model is running. */
  readonly simulated: boolean;
  /** Whether it answers from this event loop: the time in which the loop is busy counts for no limit on its answers. */
  readonly inProcess?: boolean;
  /** The sources that it answers, where it is only a part of an engine; all when left out. */
  readonly offers?: readonly EngineSourceName[];
  /** What it is, null where it does not say; an engine without this method is judged by its answers. */
  kind?(options?: RequestOptions): Promise<EngineKind | null>;
  /** The models it serves, as GET /v1/models lists them. */
  models(options?: RequestOptions): Promise<ModelCard[]>;
  /** Version of the server program. */
  version(options?: RequestOptions): Promise<string>;
  /** Resolves when the engine says that it is alive; a 503 rejects. */
  health(options?: RequestOptions): Promise<void>;
  /** The Prometheus text, unparsed. */
  metrics(options?: RequestOptions): Promise<Uint8Array>;
  /** Token ids of a text, by the tokenizer of the model. */
  tokenize(text: string, options?: RequestOptions): Promise<Tokenization>;
  /** The text of token ids. */
  detokenize(tokens: number[], options?: RequestOptions): Promise<string>;
  /** The model's files on this host, where they are known; an engine may have to be asked for its models first. */
  modelFiles(options?: RequestOptions): Promise<ModelFiles | null>;
  /** Ends requests under way and closes connections; idempotent. */
  close(): Promise<void>;
  /** close(), for `await using`; the engines of this package have it. */
  [Symbol.asyncDispose]?(): Promise<void>;
}
