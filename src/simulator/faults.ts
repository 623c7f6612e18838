/**
 * Faults of a simulated server: what can be injected, and when each begins and ends.
 *
 *     a fault is active in [atSeconds, atSeconds + durationSeconds), virtual seconds; without a duration until it is cleared
 *
 * Law: boundaries are crossed in the order of their times, an end before a beginning at the same time.
 */
import { z } from 'zod';
import { checkOptions, currentNames, rangeError } from '../errors/index.js';

export const faultKinds = [
  'hang',
  'leak',
  'preemption-storm',
  'drift',
  'sleep',
  'scaling',
  'metrics-freeze',
  '5xx',
  'dead',
  'crash',
  'restart',
] as const;
/** Kind of a fault that a simulator can inject; docs/simulator.md describes each. */
export type FaultKind = (typeof faultKinds)[number];

/** Faults that can strike one engine of several. */
const ofOneEngine: readonly FaultKind[] = ['hang', 'leak', 'preemption-storm', 'drift', 'sleep'];
/** Time of loading when a restart names none, virtual seconds. */
const RESTART_SECONDS = 2;
/** What `amount` means where a fault has one, and its default. */
const amounts: Partial<Record<FaultKind, { most: number; byDefault: number; expected: string }>> = {
  leak: { most: 1, byDefault: 0.1, expected: 'a number in (0, 1] (share of released blocks)' },
  drift: { most: 100, byDefault: 0.02, expected: 'a number in (0, 100] (growth of the step time a second)' },
};

export const faultSchema = z.object({
  kind: z.enum(faultKinds).describe(`one of ${faultKinds.join(', ')}`),
  atSeconds: z.number().min(0).optional().describe('a virtual time in seconds, 0 or more'),
  durationSeconds: z.number().gt(0).optional().describe('a number of virtual seconds above 0'),
  engine: z.int().min(0).optional().describe('the number of an engine'),
  amount: z.number().gt(0).optional().describe('a number above 0'),
  status: z.int().min(500).max(599).optional().describe('an HTTP status in [500, 599]'),
});

const oldNames = { at: 'atSeconds', duration: 'durationSeconds' };

/** A fault to inject. Times are virtual seconds; it is active in [atSeconds, atSeconds + durationSeconds). */
export interface FaultOptions {
  /** What fails: docs/simulator.md describes each kind. Required. */
  kind: FaultKind;
  /** Virtual seconds at which it begins. Default: now. */
  atSeconds?: number | undefined;
  /** Virtual seconds that it lasts. Default: until it is cleared; 2 for a restart. */
  durationSeconds?: number | undefined;
  /** The engine that a hang, leak, preemption-storm, drift or sleep strikes. Default: all. */
  engine?: number | undefined;
  /** leak: share of released blocks, in (0, 1], default 0.1; drift: growth of the step time a second, in (0, 100], default 0.02. */
  amount?: number | undefined;
  /** The status of a 5xx, 500 to 599. Default 500. */
  status?: number | undefined;
  /**
   * Name of 0.1; default: that of `atSeconds`.
   * @deprecated Use `atSeconds`.
   */
  at?: number;
  /**
   * Name of 0.1; default: that of `durationSeconds`.
   * @deprecated Use `durationSeconds`.
   */
  duration?: number;
}

export interface Fault {
  readonly kind: FaultKind;
  readonly from: number;
  /** Infinity: until it is cleared. */
  readonly until: number;
  /** The engine it strikes; null for all. */
  readonly engine: number | null;
  readonly amount: number;
  readonly status: number;
}

/** A fault of a server with so many engines, at virtual time `now`. */
export function checkFault(options: FaultOptions, engines: number, now: number): Fault {
  const checked = checkOptions(faultSchema, currentNames(options, oldNames, 'a fault'), 'a fault');
  const { kind, atSeconds, durationSeconds, engine, amount, status } = checked;
  const known = amounts[kind];
  if (engine !== undefined && !ofOneEngine.includes(kind)) {
    throw rangeError(`no engine (${kind} affects the whole server)`, 'engine', engine);
  }
  if (engine !== undefined && engine >= engines) throw rangeError(`an engine below ${engines}`, 'engine', engine);
  if (amount !== undefined && known === undefined) {
    throw rangeError(`no amount (only ${Object.keys(amounts).join(' and ')} have one)`, 'amount', amount);
  }
  if (amount !== undefined && amount > known!.most) throw rangeError(known!.expected, 'amount', amount);
  if (status !== undefined && kind !== '5xx') throw rangeError('no status (only 5xx has one)', 'status', status);
  const from = Math.max(atSeconds ?? now, now);
  const lasts = durationSeconds ?? (kind === 'restart' ? RESTART_SECONDS : Number.POSITIVE_INFINITY);
  return {
    kind,
    from,
    until: from + lasts,
    engine: engine ?? null,
    amount: amount ?? known?.byDefault ?? 0,
    status: status ?? 500,
  };
}

/** What has changed at one moment. */
export interface Crossing {
  ended: Fault[];
  started: Fault[];
}

export class FaultTimeline {
  private upcoming: Fault[] = [];
  private present: Fault[] = [];

  get active(): readonly Fault[] {
    return this.present;
  }

  /** Virtual time of the next begin or end; Infinity when there is none. */
  get nextBoundary(): number {
    return Math.min(...this.upcoming.map(({ from }) => from), ...this.present.map(({ until }) => until));
  }

  add(fault: Fault): void {
    this.upcoming.push(fault);
  }

  /** Crosses every boundary up to `time`. */
  cross(time: number): Crossing {
    const ended = this.end(({ until }) => until <= time);
    const started = this.upcoming.filter(({ from }) => from <= time);
    this.upcoming = this.upcoming.filter(({ from }) => from > time);
    this.present.push(...started);
    return { ended, started };
  }

  /** Ends what is active and satisfies `which`. */
  end(which: (fault: Fault) => boolean): Fault[] {
    const ended = this.present.filter(which);
    this.present = this.present.filter((fault) => !ended.includes(fault));
    return ended;
  }

  /** Takes back what has not begun and satisfies `which`. */
  cancel(which: (fault: Fault) => boolean): void {
    this.upcoming = this.upcoming.filter((fault) => !which(fault));
  }
}
