/**
 * A request of one token that is sent to an engine without other traffic: where it is not answered the engine hangs, where it
 * is and no counter moves the metrics are frozen.
 *
 * It is sent when no counter moved for `intervalSeconds`, and not again before it has ended and as much time has passed. While it is
 * under way it counts as a request in flight. A probe that fails says nothing: why an engine refuses is seen by its other answers.
 */
import type { EngineMetrics } from '../engine/index.js';
import { progressed } from './progress.js';

/** Sends an engine a completion of one token and resolves when it is answered. */
export type Probe = (options: {
  /** Aborted when the watch ends. */
  signal: AbortSignal;
}) => Promise<unknown>;

export class IdleProbe {
  readonly #probe: Probe;
  readonly #intervalSeconds: number;
  readonly #answered: () => void;
  readonly #closing = new AbortController();
  #figures: EngineMetrics | null = null;
  #stillSince = 0;
  #inFlight = 0;

  constructor(probe: Probe, { intervalSeconds, answered }: { intervalSeconds: number; answered: () => void }) {
    this.#probe = probe;
    this.#intervalSeconds = intervalSeconds;
    this.#answered = answered;
  }

  /** 1 while a probe is under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** One scrape, read at `time`; sends the probe where it is due. */
  observe(figures: EngineMetrics, time: number): void {
    const before = this.#figures;
    this.#figures = figures;
    if (before === null || progressed(before, figures) !== false) this.#stillSince = time;
    if (this.#inFlight > 0 || time - this.#stillSince < this.#intervalSeconds) return;
    this.#stillSince = time;
    void this.#send();
  }

  close(): void {
    this.#closing.abort();
  }

  async #send(): Promise<void> {
    this.#inFlight = 1;
    try {
      await this.#probe({ signal: this.#closing.signal });
      if (!this.#closing.signal.aborted) this.#answered();
    } catch {
      // A refusal says nothing about frozen metrics or hangs.
    } finally {
      this.#inFlight = 0;
    }
  }
}
