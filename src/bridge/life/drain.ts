/**
 * The end of a bridge after SIGTERM or SIGINT.
 *
 *     settle   readiness is off; requests are served as before, at most settleMs, until no connection is left
 *     work     no connection is accepted any more; what is under way ends, at most workMs
 *     commit   the journal is committed, at most commitMs
 *     exit     0; 1 where the commit failed or was late
 *
 * A second signal exits at once with 128 + its number. A step that throws or is late is logged, and the next one begins.
 */
import { constants } from 'node:os';
import { z } from 'zod';
import { type Clock, clockOption, pause, untilAborted, withTimeLimit } from '../../abort/index.js';
import { checkOptions } from '../../errors/index.js';
import type { Logger } from '../logs/index.js';

export type DrainPhase = 'running' | 'settle' | 'work' | 'commit' | 'exit';

/** What a bridge does in each phase. A signal aborts when the phase is over. */
export interface DrainSteps {
  /** Begins the drain: readiness off, `Connection: close`, STOPPING=1. */
  readinessOff(): void;
  /** Connections that are open. */
  connections(): number;
  /** Closes the listeners, ends streams, and resolves when no work is under way. */
  endWork(signal: AbortSignal): Promise<void>;
  /** Commits the journal and frees the state directory. */
  commit(signal: AbortSignal): Promise<void>;
  /** Ends the process. */
  exit(code: number): void;
}

export interface DrainOptions {
  steps: DrainSteps;
  log: Logger;
  /** At most this long until no connection is left, milliseconds, 0 to 600,000. Default 5,000. */
  settleMs?: number | undefined;
  /** At most this long for work under way, milliseconds, 0 to 600,000. Default 3,000. */
  workMs?: number | undefined;
  /** At most this long for the commit, milliseconds, 0 to 600,000. Default 1,500. */
  commitMs?: number | undefined;
  /** What the phases are measured by. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

const POLL_MS = 50;
const milliseconds = (ms: number) => z.int().min(0).max(600_000).default(ms).describe('milliseconds from 0 to 600,000');

const optionsSchema = z.strictObject({
  steps: z.custom<DrainSteps>((value) => typeof value === 'object').describe('the steps of the drain'),
  log: z.custom<Logger>((value) => typeof value === 'object').describe('a Logger'),
  settleMs: milliseconds(5000),
  workMs: milliseconds(3000),
  commitMs: milliseconds(1500),
  clock: clockOption,
});

const signals = ['SIGTERM', 'SIGINT'] as const;
type Signal = (typeof signals)[number];

export class Drain {
  readonly #options: z.output<typeof optionsSchema>;
  #phase: DrainPhase = 'running';

  constructor(options: DrainOptions) {
    this.#options = checkOptions(optionsSchema, options, 'Drain');
  }

  get phase(): DrainPhase {
    return this.#phase;
  }

  /** Takes the signals of the process. Returns what ends it. */
  listen(): () => void {
    const listener = (signal: Signal) => void this.take(signal);
    for (const signal of signals) process.on(signal, listener);
    return () => {
      for (const signal of signals) process.off(signal, listener);
    };
  }

  /** Drains at the first signal, exits at the second. Resolves when `exit` was called. */
  async take(signal: Signal): Promise<void> {
    const { steps, log } = this.#options;
    if (this.#phase !== 'running') {
      log.warn('second signal: exit without commit', { signal });
      return steps.exit(128 + constants.signals[signal]);
    }
    log.info('draining', { signal });
    await this.#settle();
    const { workMs, commitMs } = this.#options;
    await this.#bounded('work', workMs, steps.endWork);
    const committed = await this.#bounded('commit', commitMs, steps.commit);
    this.#phase = 'exit';
    steps.exit(committed ? 0 : 1);
  }

  async #settle(): Promise<void> {
    const { steps, settleMs, log, clock } = this.#options;
    this.#phase = 'settle';
    try {
      steps.readinessOff();
    } catch (error) {
      log.error('a step of the drain failed', { phase: 'settle', code: codeOf(error) });
    }
    const end = clock.now() + settleMs;
    const { signal } = new AbortController();
    while (clock.now() < end && steps.connections() > 0) await pause(POLL_MS, signal, clock);
  }

  async #bounded(phase: 'work' | 'commit', ms: number, step: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    const { steps, log, clock } = this.#options;
    this.#phase = phase;
    const late = () => Object.assign(new Error(`${phase} took longer than ${ms} ms`), { code: 'late' });
    try {
      await withTimeLimit(ms, late, undefined, (signal) => untilAborted(signal, step.call(steps, signal)), clock);
      return true;
    } catch (error) {
      log.error('a step of the drain failed', { phase, code: codeOf(error) });
      return false;
    }
  }
}

function codeOf(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException;
  return code ?? name;
}
