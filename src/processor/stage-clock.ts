/** Time of each stage: laps of the monotonic clock, added up by name. */
import { type Clock, systemClock } from '../abort/index.js';
import type { stageNames } from './result.js';

/** Name of a stage of one input; its time is measured in milliseconds. */
export type StageName = (typeof stageNames)[number];

export class StageClock {
  readonly #clock: Clock;
  readonly #laps = new Map<StageName, number>();
  #start: number;
  #last: number;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#start = clock.now();
    this.#last = this.#start;
  }

  /** An independent copy of this clock. */
  copy(): StageClock {
    const copy = new StageClock(this.#clock);
    copy.#start = this.#start;
    copy.#last = this.#last;
    for (const [stage, ms] of this.#laps) copy.#laps.set(stage, ms);
    return copy;
  }

  /** Adds the time since the last lap to a stage. */
  end(stage: StageName): void {
    const now = this.#clock.now();
    this.#laps.set(stage, this.of(stage) + now - this.#last);
    this.#last = now;
  }

  /** Counts milliseconds of a stage as those of another, which ran in the same native call. */
  move(ms: number, from: StageName, to: StageName): void {
    const moved = Math.min(ms, this.of(from));
    this.#laps.set(from, this.of(from) - moved);
    this.#laps.set(to, this.of(to) + moved);
  }

  /** Time that belongs to no stage: waiting for a lane. */
  skip(): void {
    this.#last = this.#clock.now();
  }

  of(stage: StageName): number {
    return this.#laps.get(stage) ?? 0;
  }

  stages(): { name: StageName; ms: number }[] {
    return Array.from(this.#laps, ([name, ms]) => ({ name, ms }));
  }

  total(): number {
    return this.#last - this.#start;
  }
}
