/** Requests a second that one engine serves at full use, measured from its own throughput. */
import type { EngineMetrics, Rates } from '../../engine/index.js';

/** Interface of the first commit; the law follows. */
export declare class ReplicaCapacity {
  /** One scrape, and the rates since the one before. */
  observe(figures: EngineMetrics, rates: Rates): void;
  /** Null before it was measured. */
  readonly requestsPerSecond: number | null;
  /** A restart, perhaps of another model: measures again. */
  reset(): void;
}
