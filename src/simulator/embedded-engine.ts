/**
 * An engine inside this process, for when none is configured: a simulation of an Aphrodite server that really serves
 * HTTP on loopback and is asked through the same client as a real one.
 */
import { z } from 'zod';
import { waitingClock } from '../abort/index.js';
import {
  AphroditeEngine,
  type Engine,
  type ModelCard,
  type ModelFiles,
  type RequestOptions,
  type Tokenization,
} from '../engine/index.js';
import { checkOptions } from '../errors/index.js';
import { BEGIN_OF_TEXT, END_OF_TEXT, PADDED_VOCABULARY } from './byte-tokenizer.js';
import { EngineSimulator, modelSchema, type SimulatedModelOptions } from './engine-simulator.js';

const WARM_UP_SECONDS = 20;
const CATCH_UP_SECONDS = 120;

export const optionsSchema = z.object({
  seed: z.int().min(0).default(0).describe('a whole number in [0, 2^53)'),
  model: modelSchema
    .prefault({})
    .describe('an object { id?, maxModelLen?, hiddenSize?, maxNumSeqs?, maxBatchedTokens?, kvBlocks? }'),
  load: z.number().gt(0).max(2).default(0.5).describe('a number in (0, 2] (share of what the engine can serve)'),
  port: z.int().min(0).max(65_535).default(0).describe('a port number, 0 for a free one'),
  signal: z.instanceof(AbortSignal).optional().describe('an AbortSignal'),
});

/** Options of EmbeddedEngine.start: the simulated model, its load and seed. */
export interface EmbeddedEngineOptions {
  /** Seed of everything that the simulation draws. Default 0. */
  seed?: number | undefined;
  /** The model that the engine serves. Default: the defaults of its fields. */
  model?: SimulatedModelOptions | undefined;
  /** Share of what the engine can serve, in (0, 2]. Default 0.5. */
  load?: number | undefined;
  /** The port to listen on; 0 for a free one. Default 0. */
  port?: number | undefined;
  /** Ends start(), which then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined;
}

type SimulatedModel = z.output<typeof modelSchema>;

/**
 * An engine inside this process, for when none is configured: a simulation of an Aphrodite server that really serves HTTP on
 * loopback and is asked through the same client as a real one.
 *
 *     const engine = await EmbeddedEngine.start({ seed: 7, load: 0.8 });
 *     engine.label          // 'embedded simulation on http://127.0.0.1:41233'
 *     await engine.close();
 *
 * The simulation starts with WARM_UP_SECONDS of virtual history and then follows the monotonic clock, advanced at each
 * request; when it was not asked for longer than CATCH_UP_SECONDS the rest of that pause is
 * skipped. Limits on its answers count only time in which the event loop waits (abort/waiting-clock.ts).
 * Errors: TypeError or RangeError for wrong options; DtesnError ERR_DTESN_SIMULATOR_PORT when the port cannot be bound.
 */
export class EmbeddedEngine implements Engine {
  readonly simulated = true;
  /** Whether it answers in this process: limits on its answers then count only time in which the event loop waits. */
  readonly inProcess = true;
  /** Address of the simulated server on loopback. */
  readonly url: string;
  readonly label: string;

  private constructor(
    private readonly simulator: EngineSimulator,
    private readonly client: AphroditeEngine,
    private readonly model: SimulatedModel,
  ) {
    this.url = simulator.url;
    this.label = `embedded simulation on ${simulator.url}`;
  }

  /** Starts the simulation and its server. */
  static async start(options: EmbeddedEngineOptions = {}): Promise<EmbeddedEngine> {
    const { seed, model, load, port, signal } = checkOptions(optionsSchema, options, 'EmbeddedEngine');
    const simulator = await EngineSimulator.start({
      seed,
      model,
      load,
      port,
      ...(signal && { signal }),
      loadTracking: true,
      warmUpSeconds: WARM_UP_SECONDS,
      catchUpSeconds: CATCH_UP_SECONDS,
    });
    return new EmbeddedEngine(simulator, new AphroditeEngine(simulator.url, { clock: waitingClock }), model);
  }

  models(options?: RequestOptions): Promise<ModelCard[]> {
    return this.client.models(options);
  }

  version(options?: RequestOptions): Promise<string> {
    return this.client.version(options);
  }

  health(options?: RequestOptions): Promise<void> {
    return this.client.health(options);
  }

  metrics(options?: RequestOptions): Promise<Uint8Array> {
    return this.client.metrics(options);
  }

  tokenize(text: string, options?: RequestOptions): Promise<Tokenization> {
    return this.client.tokenize(text, options);
  }

  detokenize(tokens: number[], options?: RequestOptions): Promise<string> {
    return this.client.detokenize(tokens, options);
  }

  /** The config.json the simulated model would have; it lies in no folder. */
  async modelFiles(): Promise<ModelFiles> {
    return {
      folder: `(${this.label})`,
      config: {
        model_type: 'simulated',
        vocab_size: PADDED_VOCABULARY,
        hidden_size: this.model.hiddenSize,
        max_position_embeddings: this.model.maxModelLen,
        torch_dtype: 'bfloat16',
        bos_token_id: BEGIN_OF_TEXT,
        eos_token_id: END_OF_TEXT,
      },
    };
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.simulator.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
