/**
 * The load of a fleet over time, for its scale hint.
 *
 *     load       requests a second that came to all engines (by their metrics), and those that admission refused
 *     capacity   mean of what the engines were measured to serve at full use (scaling/replica-capacity.ts)
 *
 * It is looked at when an engine was observed and LOOK_SECONDS passed since the last look. An engine that was not read since counts
 * with its last rate, one that cannot be read with none. Times of day are UTC.
 */
import { wallMs } from '../../abort/index.js';
import type { EngineMetrics } from '../../engine/index.js';
import { ReplicaCapacity, ScaleForecaster, type ScaleHint, type ScaleHintOptions } from '../scaling/index.js';

const LOOK_SECONDS = 1;

interface Replica {
  capacity: ReplicaCapacity;
  /** When it was last read. */
  readAt: number;
  /** Requests a second that came between its last two scrapes; null where it does not say. */
  arrivals: number | null;
}

export class FleetScaling {
  readonly #slots: number | null;
  readonly #now: () => number;
  readonly #epochSeconds: number;
  readonly #forecaster = new ScaleForecaster();
  readonly #replicas = new Map<string, Replica>();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #refused = 0;

  /** `now`: seconds of the clock of the fleet. */
  constructor({ slots, now }: { slots: number | null; now: () => number }) {
    this.#slots = slots;
    this.#now = now;
    this.#epochSeconds = wallMs() / 1000 - now();
  }

  add(label: string): void {
    this.#replicas.set(label, {
      capacity: new ReplicaCapacity({ slots: this.#slots }),
      arrivals: null,
      readAt: Number.NEGATIVE_INFINITY,
    });
  }

  remove(label: string): void {
    this.#replicas.delete(label);
  }

  /** A scrape of an engine; null where it could not be read. */
  observe(label: string, figures: EngineMetrics | null, readSeconds: number, arrivals: number | null): void {
    const replica = this.#replicas.get(label);
    if (replica === undefined) return;
    replica.arrivals = figures === null ? null : arrivals;
    // Another reader's answer may have been seen before.
    if (figures !== null && readSeconds > replica.readAt) {
      replica.readAt = readSeconds;
      replica.capacity.observe(figures, readSeconds);
    }
    this.#look();
  }

  /** A request was refused: it is load that no engine shows. */
  refused(): void {
    this.#refused++;
  }

  hint(options: ScaleHintOptions | undefined): ScaleHint {
    return this.#forecaster.hint(options);
  }

  #look(): void {
    const now = this.#now();
    const seconds = now - this.#lookedAt;
    if (seconds < LOOK_SECONDS) return;
    this.#lookedAt = now;
    const replicas = [...this.#replicas.values()];
    const arrivals = known(replicas.map((replica) => replica.arrivals));
    const capacities = known(replicas.map(({ capacity }) => capacity.requestsPerSecond));
    const refused = Number.isFinite(seconds) ? this.#refused / seconds : 0;
    this.#refused = 0;
    this.#forecaster.observe({
      timeSeconds: this.#epochSeconds + now,
      requestsPerSecond: arrivals.length === 0 ? null : arrivals.reduce((sum, one) => sum + one, refused),
      capacity: capacities.length === 0 ? null : capacities.reduce((sum, one) => sum + one, 0) / capacities.length,
    });
  }
}

function known(figures: readonly (number | null)[]): number[] {
  return figures.filter((figure) => figure !== null);
}
