/**
 * Tells changes of the plan: each second the sources are read from their caches, and a plan that differs from the one before in its
 * steps or its settings is an event `plan` with the reasons.
 */
import { type Clock, systemClock } from '../abort/index.js';
import { explainPlan } from '../pipeline/index.js';
import type { CurrentProcessor } from './current-processor.js';
import type { EventLog } from './engines/index.js';

const intervalMs = 1000;

export class PlanWatch {
  readonly #closing = new AbortController();
  readonly #processor: CurrentProcessor;
  readonly #events: EventLog;
  readonly #clock: Clock;
  #cancel = () => {};
  #looking: Promise<void> = Promise.resolve();
  #steps: string | null = null;

  constructor(processor: CurrentProcessor, events: EventLog, clock: Clock = systemClock) {
    this.#processor = processor;
    this.#events = events;
    this.#clock = clock;
    this.#next();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#cancel();
    await this.#looking;
  }

  #next(): void {
    this.#cancel = this.#clock.after(intervalMs, () => {
      this.#looking = this.#look()
        .catch(() => {})
        .then(() => {
          if (!this.#closing.signal.aborted) this.#next();
        });
    });
  }

  async #look(): Promise<void> {
    const { signal } = this.#closing;
    const data = await this.#processor.use((processor) => processor.fetchMultiSourceData({ signal }));
    const pipelines = explainPlan(data).map(({ name, present, transformations }) => ({
      name,
      present,
      transformations: transformations.map(({ transformation }) => transformation),
    }));
    const { data_flow, optimization_config } = data.processing_pipelines;
    const steps = JSON.stringify([pipelines, data_flow, optimization_config]);
    if (this.#steps !== null && steps !== this.#steps) this.#events.append('plan', { pipelines });
    this.#steps = steps;
  }
}
