/**
 * The heartbeat as it stands in shared memory, 32 bytes, written by the main thread alone:
 *
 *     0   beat         64-bit, nanoseconds of the process' monotonic clock
 *     8   phase        number of the phase, in the order of `phases`
 *     12  ready        bit 0 listeners bound, bit 1 default network built, bit 2 state recovered
 *     16  done, total  progress of the phase; total 0 where it is not known
 *     24  livenessMs   how old a beat may be
 */
export const phases = ['building', 'recovering', 'serving', 'draining', 'stopping'] as const;
export type Phase = (typeof phases)[number];

export const HEARTBEAT_BYTES = 32;

export interface HeartbeatView {
  /** Of the last beat, milliseconds of the process' monotonic clock. */
  beatMs: number;
  phase: Phase;
  listeners: boolean;
  network: boolean;
  state: boolean;
  done: number;
  total: number;
  livenessMs: number;
}

/** Law: names nothing outside of itself, for its text runs in the probe thread too. */
export function heartbeatView(shared: SharedArrayBuffer): HeartbeatView {
  const names = ['building', 'recovering', 'serving', 'draining', 'stopping'] as const;
  const words = new Int32Array(shared, 8);
  const ready = Atomics.load(words, 1);
  return {
    beatMs: Number(Atomics.load(new BigInt64Array(shared, 0, 1), 0)) / 1e6,
    phase: names[Atomics.load(words, 0)]!,
    listeners: (ready & 1) !== 0,
    network: (ready & 2) !== 0,
    state: (ready & 4) !== 0,
    done: Atomics.load(words, 2),
    total: Atomics.load(words, 3),
    livenessMs: Atomics.load(words, 4),
  };
}
