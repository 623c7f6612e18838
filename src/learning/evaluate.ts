/** Scores of forecasts over the folds, the same steps for every model. */
import { planningLoss, rmse } from '../scores/index.js';
import type { Lesson } from './lesson.js';
import type { Forecasts } from './walk-forward.js';

const INTERVAL = [0.1, 0.9] as const;

/** Pairs of one target at one horizon: step of the forecast, forecast, outcome. */
export interface Pairs {
  steps: number[];
  forecast: number[];
  outcome: number[];
}

/** Every step of the folds whose outcome is known. */
export function pairsOf(forecasts: Forecasts, lesson: Lesson, names: readonly string[], at: [number, number]): Pairs {
  const [j, k] = at;
  const { horizons, bounds, pupils } = lesson;
  const pairs: Pairs = { steps: [], forecast: [], outcome: [] };
  for (const [p, { steps, offset }] of pupils.entries()) {
    const { values, known } = steps.columns.get(names[j]!)!;
    for (let t = Math.max(0, bounds[0]! - offset); t + horizons[k]! < steps.count && t + offset < bounds.at(-1)!; t++) {
      if (known[t + horizons[k]!] !== 1) continue;
      pairs.steps.push(t + offset);
      pairs.forecast.push(forecasts[p]![j]![t * horizons.length + k]!);
      pairs.outcome.push(values[t + horizons[k]!]!);
    }
  }
  return pairs;
}

/** Null where the model could not say at some step. */
export function rmseOf({ forecast, outcome }: Pairs): number | null {
  return forecast.length === 0 || forecast.some(Number.isNaN) ? null : rmse(outcome, forecast);
}

/** Quantiles 0.1 and 0.9 of the errors, of all pairs. */
export function marginsOf({ forecast, outcome }: Pairs): [number, number] {
  const errors = Float64Array.from(forecast, (value, i) => outcome[i]! - value).sort();
  const quantile = (level: number) => errors[Math.min(errors.length - 1, Math.floor(level * errors.length))] ?? 0;
  return [quantile(INTERVAL[0]), quantile(INTERVAL[1])];
}

/**
 * Share of the outcomes between the quantiles 0.1 and 0.9 that were known then: those of the errors of the folds before, whose
 * outcomes had come. Null without any.
 */
export function coverageOf(pairs: Pairs, bounds: readonly number[], ahead: number): number | null {
  let [within, count] = [0, 0];
  for (const [i, begin] of bounds.slice(0, -1).entries()) {
    const past = part(pairs, (step) => step + ahead < begin);
    if (past.steps.length < 20) continue;
    const [down, up] = marginsOf(past);
    const { forecast, outcome } = part(pairs, (step) => step >= begin && step < bounds[i + 1]!);
    within += outcome.filter((value, n) => value >= forecast[n]! + down && value <= forecast[n]! + up).length;
    count += outcome.length;
  }
  return count === 0 ? null : within / count;
}

function part({ steps, forecast, outcome }: Pairs, isIn: (step: number) => boolean): Pairs {
  const chosen = steps.flatMap((step, i) => (isIn(step) ? [i] : []));
  const of = (values: number[]) => chosen.map((i) => values[i]!);
  return { steps: of(steps), forecast: of(forecast), outcome: of(outcome) };
}

/** Dynamo's loss out of pairs of rates a second of requests, prompt and generated tokens, at the same steps; null where one is missing. */
export function planningLossOf(pairs: readonly [Pairs, Pairs, Pairs], stepSeconds: number): number | null {
  const [requests, prompt, generated] = pairs;
  const length = requests.steps.length;
  if (length === 0 || prompt.steps.length !== length || generated.steps.length !== length) return null;
  const windows = (of: 'forecast' | 'outcome') => {
    const counts = ({ [of]: values }: Pairs) => values.map((value) => value * stepSeconds);
    return { requests: counts(requests), promptTokens: counts(prompt), generationTokens: counts(generated) };
  };
  const loss = planningLoss(windows('outcome'), windows('forecast'));
  return Number.isNaN(loss) ? null : loss;
}
