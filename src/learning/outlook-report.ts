/** What an evaluation found: scores of every model, and their table. */

/** A model at one horizon of one target. */
export interface OutlookScore {
  /** The figure that is forecast. */
  target: string;
  /** The model: `last value`, `bank and time of day` ... */
  model: string;
  /** How far ahead, seconds. */
  horizonSeconds: number;
  /** Root mean squared error in the unit of the target; null where the model could not forecast every step. */
  rmse: number | null;
  /** 1 - rmse / rmse of the last value; null where one of them is not known or 0. */
  skill: number | null;
  /** Share of the outcomes between the quantiles 0.1 and 0.9 of the errors before; null for models without training. */
  coverage: number | null;
}

/** A model at one horizon, by the loss of Dynamo's planner. */
export interface OutlookLoss {
  /** The model. */
  model: string;
  /** How far ahead, seconds. */
  horizonSeconds: number;
  /** planningLoss of the steps; null where the model could not forecast every step. */
  loss: number | null;
}

/** What an evaluation found. */
export interface OutlookReport {
  /** Steps that were forecast, of all engines. */
  steps: number;
  /** Seconds of a step. */
  stepSeconds: number;
  /** Engines. */
  engines: number;
  /** Scores of each target, model and horizon. */
  scores: OutlookScore[];
  /** By Dynamo's loss; empty unless requests, prompt and generated tokens a second are targets. */
  losses: OutlookLoss[];
  /** The table as text. */
  toString(): string;
}

export function reportOf(found: Omit<OutlookReport, 'toString'>): OutlookReport {
  return { ...found, toString: () => tableOf(found) };
}

function tableOf({ steps, stepSeconds, engines, scores, losses }: Omit<OutlookReport, 'toString'>): string {
  const head = `Walk-forward over ${steps} steps of ${stepSeconds} s of ${engines} engine${engines === 1 ? '' : 's'}; * is the least error.`;
  const targets = [...new Set(scores.map(({ target }) => target))];
  const parts = targets.map((target) =>
    section(
      `${target}: root mean squared error`,
      scores.filter((score) => score.target === target).map(({ rmse, ...score }) => ({ ...score, value: rmse })),
    ),
  );
  const loss = losses.map(({ loss: value, ...of }) => ({ ...of, value, coverage: null }));
  return [head, ...parts, ...(loss.length === 0 ? [] : [section("loss of Dynamo's planner", loss)])].join('\n\n');
}

interface Cell {
  model: string;
  horizonSeconds: number;
  value: number | null;
  coverage: number | null;
}

function section(title: string, cells: readonly Cell[]): string {
  const horizons = [...new Set(cells.map(({ horizonSeconds }) => horizonSeconds))];
  const models = [...new Set(cells.map(({ model }) => model))];
  const of = (model: string, seconds: number) =>
    cells.find((cell) => cell.model === model && cell.horizonSeconds === seconds)!;
  const least = new Map(
    horizons.map((seconds) => [
      seconds,
      Math.min(...models.map((model) => of(model, seconds).value ?? Number.POSITIVE_INFINITY)),
    ]),
  );
  const lines = models.map((model) => [
    model,
    ...horizons.map((seconds) => {
      const { value } = of(model, seconds);
      return value === null ? '-' : `${value.toPrecision(4)}${value === least.get(seconds) ? '*' : ' '}`;
    }),
    coverages(horizons.map((seconds) => of(model, seconds).coverage)),
  ]);
  const header = ['', ...horizons.map((seconds) => `${seconds} s `), 'within p10..p90'];
  return `${title}\n${aligned([header, ...lines])}`;
}

function coverages(shares: readonly (number | null)[]): string {
  if (shares.every((share) => share === null)) return '';
  return shares.map((share) => (share === null ? '-' : `${Math.round(100 * share)} %`)).join(' ');
}

/** The first and the last column to the left, the others to the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 || i === row.length - 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
