/**
 * The heartbeat of the main thread: the time every BEAT_MS, the phase, what is ready and how far the phase has come, in memory
 * that the probe thread reads.
 *
 *     building -> recovering -> serving -> draining -> stopping
 */
import { z } from 'zod';
import { type Clock, clockOption, processMs } from '../../abort/index.js';
import { checkOptions } from '../../errors/index.js';
import { HEARTBEAT_BYTES, type HeartbeatView, heartbeatView, type Phase, phases } from './heartbeat-view.js';
import { type ProbeAnswer, probeAnswer } from './probe-answer.js';

export interface HeartbeatOptions {
  /** Age of the last beat from which liveness fails, milliseconds, 100 to 3,600,000. Default 30,000. */
  livenessMs?: number | undefined;
  /** What the beats wait by. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

/** The conditions of readiness that the start of a bridge fulfils one after the other. */
export interface Readiness {
  /** All listeners are bound. */
  listeners?: boolean | undefined;
  /** The default network is built. */
  network?: boolean | undefined;
  /** The state is recovered. */
  state?: boolean | undefined;
}

const BEAT_MS = 100;

const optionsSchema = z.strictObject({
  livenessMs: z.int().min(100).max(3_600_000).default(30_000).describe('milliseconds from 100 to 3,600,000'),
  clock: clockOption,
});

export class Heartbeat {
  /** What the probe thread reads. */
  readonly shared = new SharedArrayBuffer(HEARTBEAT_BYTES);
  readonly #beat = new BigInt64Array(this.shared, 0, 1);
  readonly #words = new Int32Array(this.shared, 8);
  readonly #clock: Clock;
  #cancel: () => void = () => {};

  /** Begins to beat, in the phase building. The timer does not keep the process alive. */
  constructor(options: HeartbeatOptions = {}) {
    const { livenessMs, clock } = checkOptions(optionsSchema, options, 'Heartbeat');
    Atomics.store(this.#words, 4, livenessMs);
    this.#clock = clock;
    this.#next();
  }

  phase(phase: Phase): void {
    Atomics.store(this.#words, 0, phases.indexOf(phase));
    this.progress(0, 0);
  }

  /** Changes the conditions that are named. */
  ready({ listeners, network, state }: Readiness): void {
    for (const [bit, value] of [listeners, network, state].entries()) {
      if (value === true) Atomics.or(this.#words, 1, 1 << bit);
      if (value === false) Atomics.and(this.#words, 1, ~(1 << bit));
    }
  }

  /** How far the phase has come; total 0 where it is not known. */
  progress(done: number, total: number): void {
    Atomics.store(this.#words, 2, done);
    Atomics.store(this.#words, 3, total);
  }

  view(): HeartbeatView {
    return heartbeatView(this.shared);
  }

  /** The answer to a probe on another listener; null for a path that is no probe. */
  answer(target: string): ProbeAnswer | null {
    return probeAnswer(this.view(), target, processMs());
  }

  /** Ends the beats. */
  close(): void {
    this.#cancel();
  }

  #next(): void {
    Atomics.store(this.#beat, 0, BigInt(Math.round(processMs() * 1e6)));
    this.#cancel = this.#clock.after(BEAT_MS, () => this.#next());
  }
}
