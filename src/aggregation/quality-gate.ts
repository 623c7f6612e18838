/**
 * When quality is high enough: a threshold with hysteresis, a hold against flapping, and a threshold that is learned.
 */
import { z } from 'zod';
import { type Clock, systemClock } from '../abort/index.js';
import { argumentError, brand, checkOptions, rangeError } from '../errors/index.js';
import type { Aggregation, OptimizationHints } from './schema.js';

export const QUALITY_THRESHOLD = 0.7;
const HYSTERESIS = 0.05;
const HOLD_MS = 60_000;
const STEP = 0.01;
const LEAST = 0.5;
const MOST = 0.95;
const WEIGHT = 0.1;
/** Features that agree so well are as good as equal. */
const AGREEMENT = 0.9;

/**
 * A change of the threshold of quality or of standardisation, with its reason: the argument of `onChange` and of the
 * event 'quality'.
 */
export interface QualityChange {
  kind: 'threshold' | 'standardisation';
  from: number | boolean;
  to: number | boolean;
  reason: string;
}

/** Options of QualityGate, and of `quality` of a processor. */
export interface QualityGateOptions {
  /** Quality counts as high strictly above it, in [0, 1]; 0.7 by default. Within [0.5, 0.95] where `adaptive`. */
  qualityThreshold?: number | undefined;
  /** High quality stays so until it falls below threshold - hysteresis, in [0, 1]; 0.05 by default. */
  hysteresis?: number | undefined;
  /** What is judged: 'plain' (default) is successful / 5, 'graded' is quality_detail.score. */
  qualityMeasure?: 'plain' | 'graded' | undefined;
  /** Whether the threshold is learned within [0.5, 0.95]; false by default. */
  adaptive?: boolean | undefined;
  /** 'adaptive' (default), or 'fixed': standardisation stays as first judged. */
  plan?: 'adaptive' | 'fixed' | undefined;
  /** Standardisation changes at most once in so many milliseconds; 60,000 by default. */
  minimumHoldMs?: number | undefined;
  /** A Clock, or milliseconds that never step; the system's monotonic clock by default. */
  clock?: Pick<Clock, 'now'> | (() => number) | undefined;
  /** Called at each change of the threshold and of standardisation. Default: none. */
  onChange?: ((change: QualityChange) => void) | undefined;
}

export const qualityJudgementSchema = z.object({
  score: z.number().min(0).max(1),
  measure: z.enum(['plain', 'graded']),
  threshold: z.number().min(0).max(1),
  above: z.boolean(),
  standardise: z.boolean(),
  reason: z.string(),
});

/** What the gate says of one score: whether it is above the threshold, whether features are standardised, and why. */
export type QualityJudgement = z.infer<typeof qualityJudgementSchema>;

/** Of a stream: how alike standardised and plain features are, or the error of a readout on one kind of them. */
export type QualityObservation = { agreement: number } | { standardised: boolean; error: number };

const share = (value: number) => z.number().min(0).max(1).default(value).describe('a number in [0, 1]');
const callable = <F extends (...args: never[]) => unknown>() =>
  z
    .custom<F>((value) => typeof value === 'function')
    .optional()
    .describe('a function');

/** Its input type is QualityGateOptions, which a test of types holds it to. */
export const qualityGateOptionsSchema = z.object({
  qualityThreshold: share(QUALITY_THRESHOLD),
  hysteresis: share(HYSTERESIS),
  qualityMeasure: z.enum(['plain', 'graded']).default('plain').describe("'plain' or 'graded'"),
  adaptive: z.boolean().default(false).describe('true or false'),
  plan: z.enum(['adaptive', 'fixed']).default('adaptive').describe("'adaptive' or 'fixed'"),
  minimumHoldMs: z.number().min(0).default(HOLD_MS).describe('a number of milliseconds, 0 or more'),
  clock: z
    .custom<Pick<Clock, 'now'> | (() => number)>(
      (value) => typeof value === 'function' || typeof (value as Partial<Clock> | null)?.now === 'function',
    )
    .default(() => systemClock)
    .describe('a Clock { now, after }, or a function'),
  onChange: callable<(change: QualityChange) => void>(),
});

/**
 * When quality is high enough: a threshold with hysteresis, a hold against flapping, and a threshold that is learned.
 *
 *     above        score > threshold (strictly) to enter; it stays until score < threshold - hysteresis
 *     standardise  above and the engine is ready; it changes at most once in `minimumHoldMs`
 *
 * Learning (`adaptive`): every observation moves the threshold by STEP · advantage, within [0.5, 0.95], published in
 * hundredths. The advantage of standardised features, in [-1, 1], is
 *
 *     by errors       (E_plain - E_standardised) / max(E_plain, E_standardised), once both errors of a readout are known
 *     by agreement    (A - 0.9) / 0.1, clamped, where no errors can be compared
 *
 *     threshold = threshold - 0.01 · advantage
 *
 * E and A are moving means: x + 0.1 · (observed - x), the first observation as it is. So where standardised features agree
 * with the plain ones, or err less, standardising needs less quality; where they differ, or err more, it needs more.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for options and observations.
 */
export class QualityGate {
  readonly #options: z.infer<typeof qualityGateOptionsSchema>;
  readonly #clock: () => number;
  /** Between the published hundredths. */
  #exact: number;
  #above = false;
  #standardise: boolean | null = null;
  #changedAt = Number.NEGATIVE_INFINITY;
  #agreement: number | null = null;
  #errors: { plain: number | null; standardised: number | null } = { plain: null, standardised: null };

  constructor(options: QualityGateOptions = {}) {
    this.#options = checkOptions(qualityGateOptionsSchema, options, 'the quality gate');
    const { qualityThreshold, adaptive, clock } = this.#options;
    if (adaptive && (qualityThreshold < LEAST || qualityThreshold > MOST)) {
      throw rangeError(`a number in [${LEAST}, ${MOST}] (adaptive)`, 'qualityThreshold', qualityThreshold);
    }
    this.#exact = qualityThreshold;
    this.#clock = typeof clock === 'function' ? clock : () => clock.now();
  }

  /** The threshold in force, in [0, 1]: the given one, or the learned one. */
  get threshold(): number {
    return this.#options.adaptive ? Math.round(this.#exact * 100) / 100 : this.#exact;
  }

  /** Judges the quality of an aggregation, and moves the hysteresis and the hold on. */
  judge(aggregation: Aggregation): QualityJudgement {
    const { qualityMeasure: measure, hysteresis } = this.#options;
    const score = measure === 'plain' ? aggregation.data_quality_score : aggregation.quality_detail.score;
    const { threshold } = this;
    this.#above = this.#above ? score >= threshold - hysteresis : score > threshold;
    const { optimization_hints: hints } = aggregation;
    const stays = this.#above && score <= threshold ? ` (within ${hysteresis}, so it still counts as above)` : '';
    const reason = `${qualitySentence(score.toFixed(2), score > threshold, threshold)}${stays} and ${readySentence(hints, aggregation)}`;
    const { held, note } = this.#hold(this.#above && hints.engine_optimizations_available === true, reason);
    return { score, measure, threshold, above: this.#above, standardise: held, reason: reason + note };
  }

  /** Without `adaptive` an observation has no effect. */
  observe(observation: QualityObservation): void {
    if (typeof observation !== 'object' || observation === null) {
      throw argumentError('an object', 'observation', observation);
    }
    if ('agreement' in observation) {
      const { agreement } = observation;
      if (!(agreement >= 0 && agreement <= 1)) throw rangeError('a number in [0, 1]', 'agreement', agreement);
      this.#agreement = mean(this.#agreement, agreement);
    } else {
      const { standardised, error } = observation;
      if (typeof standardised !== 'boolean') throw argumentError('true or false', 'standardised', standardised);
      if (!(error >= 0 && error < Number.POSITIVE_INFINITY)) throw rangeError('a number, 0 or more,', 'error', error);
      const kind = standardised ? 'standardised' : 'plain';
      this.#errors[kind] = mean(this.#errors[kind], error);
    }
    if (this.#options.adaptive) this.#learn('agreement' in observation);
  }

  #learn(ofAgreement: boolean): void {
    const { plain, standardised } = this.#errors;
    const comparable = plain !== null && standardised !== null;
    if (comparable === ofAgreement) return; // errors win over agreement, and one kind alone says nothing
    let advantage: number;
    let reason: string;
    if (comparable) {
      const larger = Math.max(plain, standardised);
      advantage = larger === 0 ? 0 : (plain - standardised) / larger;
      reason = `a readout errs ${standardised.toPrecision(3)} on standardised features and ${plain.toPrecision(3)} on plain ones`;
    } else {
      const agreement = this.#agreement!;
      advantage = Math.min(1, Math.max(-1, (agreement - AGREEMENT) / (1 - AGREEMENT)));
      reason = `standardised and plain features agree to ${agreement.toFixed(2)}`;
    }
    const from = this.threshold;
    this.#exact = Math.min(MOST, Math.max(LEAST, this.#exact - STEP * advantage));
    const to = this.threshold;
    if (to !== from) this.#options.onChange?.({ kind: 'threshold', from, to, reason });
  }

  /** Standardisation as it is held, and why it is not what was wanted. */
  #hold(wanted: boolean, reason: string): { held: boolean; note: string } {
    if (this.#standardise === null) this.#standardise = wanted;
    if (this.#standardise === wanted) return { held: wanted, note: '' };
    if (this.#options.plan === 'fixed') {
      return { held: this.#standardise, note: '; the plan is fixed to its first judgement' };
    }
    const now = this.#clock();
    const { minimumHoldMs } = this.#options;
    if (now - this.#changedAt < minimumHoldMs) {
      return { held: this.#standardise, note: `; it changed less than ${minimumHoldMs / 1000} s ago and is held` };
    }
    this.#changedAt = now;
    this.#standardise = wanted;
    this.#options.onChange?.({ kind: 'standardisation', from: !wanted, to: wanted, reason });
    return { held: wanted, note: '' };
  }
}

export const isQualityGate = brand(QualityGate, 'QualityGate');

function mean(before: number | null, observed: number): number {
  return before === null ? observed : before + WEIGHT * (observed - before);
}

export function qualitySentence(score: string, above: boolean, threshold: number): string {
  return `quality ${score} is ${above ? 'above' : 'not above'} ${threshold}`;
}

export function readySentence(hints: OptimizationHints, { hint_origins }: Pick<Aggregation, 'hint_origins'>): string {
  const ready = hints.engine_optimizations_available;
  if (ready === null) return 'it is unknown whether the engine is ready';
  const origin = hint_origins['engine_optimizations_available'];
  if (ready || origin === undefined || origin === 'performance') return `the engine is ${ready ? '' : 'not '}ready`;
  return `the source ${origin} says that optimisations are not available`;
}
