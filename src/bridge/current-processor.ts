/**
 * The processor that further work runs on. A change of the network puts another in its place; the one before is closed when nothing
 * uses it any more, neither here (`use`) nor in the queue of requests, so that no request fails by the change.
 */
import type { DtesnConfig, DtesnProcessor, InputFigures } from '../processor/index.js';
import { type BatchRunner, Uses } from './processing/index.js';

export class CurrentProcessor {
  readonly #uses = new Uses<DtesnProcessor>();
  /** Those that were replaced and are still in use. */
  readonly #retiring = new Set<DtesnProcessor>();
  #current: DtesnProcessor;
  /** Of those that are closed. */
  #closedInputs: InputFigures = { started: 0, finished: 0, prepared: 0, failed: {}, steps: 0, sheds: 0 };

  constructor(processor: DtesnProcessor) {
    this.#current = processor;
  }

  get config(): DtesnConfig {
    return this.#current.config;
  }

  /** What runs: the current one and those whose last work is under way. */
  get open(): readonly DtesnProcessor[] {
    return [...this.#retiring, this.#current];
  }

  /** Inputs since the bridge started, over all processors. */
  get inputs(): InputFigures {
    return this.open.map((one) => one.metrics().inputs).reduce(sumOf, this.#closedInputs);
  }

  /** Drops what is cached of the engine. */
  invalidate(): void {
    for (const processor of this.open) processor.invalidate();
  }

  /** Runs work on the current processor, which stays open until its end. */
  async use<T>(work: (processor: DtesnProcessor) => Promise<T>): Promise<T> {
    const processor = this.#current;
    this.#uses.hold(processor);
    try {
      return await work(processor);
    } finally {
      this.#uses.free(processor);
    }
  }

  /** Puts another in its place, here and in the queue. Resolves when the one before is closed. */
  async replace(next: DtesnProcessor, runner: BatchRunner): Promise<void> {
    const old = this.#current;
    this.#current = next;
    this.#retiring.add(old);
    await runner.replace(next);
    await this.#uses.none(old);
    await this.#close(old);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#retiring].map((one) => this.#close(one)));
    await this.#current.close();
  }

  async #close(old: DtesnProcessor): Promise<void> {
    if (!this.#retiring.delete(old)) return;
    this.#closedInputs = sumOf(this.#closedInputs, old.metrics().inputs);
    await old.close();
  }
}

function sumOf(a: InputFigures, b: InputFigures): InputFigures {
  const failed = { ...a.failed };
  for (const [code, count] of Object.entries(b.failed)) failed[code] = (failed[code] ?? 0) + count;
  return {
    started: a.started + b.started,
    finished: a.finished + b.finished,
    prepared: a.prepared + b.prepared,
    failed,
    steps: a.steps + b.steps,
    sheds: a.sheds + b.sheds,
  };
}
