/** Predicted against observed time to the first token, beside the last one observed, its moving average and the metrics alone. */
import { closedLoop, TtftPredictor } from '../../dist/index.js';
import { round } from '../measure.mjs';
import { auc, median } from './scores.mjs';

const SLO_SECONDS = 2;
const PATIENCE_SECONDS = 60;
const EWMA_WEIGHT = 0.1;

export async function predictionRows(cases, seeds, visible) {
  const rows = [];
  for (const { name, trace, load } of cases) {
    const outcomes = [];
    for (const seed of seeds) outcomes.push(...(await predicted({ trace, load, seed, visible })));
    const observed = outcomes.map(({ seconds }) => seconds);
    const misses = observed.map((seconds) => seconds > SLO_SECONDS);
    const share = (values) => values.filter(Boolean).length / values.length;
    const row = {
      task: `${name} ${load}, ${100 * visible} % of the requests seen`,
      requests: outcomes.length,
      'misses %': round(100 * share(misses)),
    };
    for (const by of ['learned', 'physics', 'last', 'ewma', 'metrics']) {
      const known = outcomes.filter((one) => one[by] !== null);
      const error = median(known.map((one) => Math.abs(Math.log(one[by] / one.seconds))));
      const score = auc(
        known.map((one) => one[by]),
        known.map(({ seconds }) => seconds > SLO_SECONDS),
      );
      row[by] = `${error.toFixed(3)} / ${score === null ? '-' : score.toFixed(4)}`;
    }
    rows.push({ ...row, 'p90 covers %': round(100 * share(outcomes.map(({ p90, seconds }) => seconds <= p90))) });
  }
  return rows;
}

/** Of each request that the gateway saw: what was predicted when it came, and what came. */
async function predicted({ trace, load, seed, visible }) {
  const pending = new Map();
  const outcomes = [];
  const byMetrics = new TtftPredictor();
  let [last, ewma, read] = [null, null, null];
  const admit = ({ promptTokens, index }, [{ predictor, figures, readSeconds }], now) => {
    if (figures !== null && readSeconds !== read) byMetrics.observe(figures, readSeconds);
    read = readSeconds;
    const { ms, p90Ms } = predictor.predict(promptTokens, now);
    const physics = predictor.physicsSeconds(promptTokens, now);
    const metrics = byMetrics.predict(promptTokens, now).ms / 1000;
    pending.set(index, { learned: ms / 1000, p90: p90Ms / 1000, physics, metrics, last, ewma });
    return true;
  };
  const onOutcome = ({ request, ttftSeconds, visible: isVisible }) => {
    if (!isVisible) return;
    const seconds = ttftSeconds ?? PATIENCE_SECONDS;
    outcomes.push({ ...pending.get(request.index), seconds });
    pending.delete(request.index);
    last = seconds;
    ewma = ewma === null ? seconds : ewma + EWMA_WEIGHT * (seconds - ewma);
  };
  await closedLoop({ trace, load, seed, visible, policy: { admit }, onOutcome });
  return outcomes;
}
