/** What the routes of a simulated server answer from. */
import type { ServerCondition } from './condition.js';
import type { SleepMode } from './engine-core.js';
import type { RequestListener } from './engine-request.js';
import type { RandomStream } from './random-stream.js';

/** A request that came over HTTP, in tokens. */
export interface SimulatedRequest {
  prompt: number;
  maxTokens: number;
  output: number;
  reason: 'stop' | 'length';
}

/** What the routes answer from; the numbers are those of the moment to which `moveOn` has moved. */
export interface ServerFace {
  readonly modelId: string;
  readonly maxModelLen: number;
  readonly version: string;
  /** Draws the lengths and letters of completions. */
  readonly random: RandomStream;
  readonly devMode: boolean;
  readonly apiKey: string | null;
  readonly condition: ServerCondition;
  moveOn(): void;
  unixTime(): number;
  load(): number;
  /** Puts a request into the queue; returns what is called when its client goes away. */
  submit(request: SimulatedRequest, listener: RequestListener): () => void;
  isSleeping(): boolean;
  sleep(level: 1 | 2, mode: SleepMode): void;
  wakeUp(): void;
}
