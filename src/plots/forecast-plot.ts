/** A forecast beside what came. */
import { z } from 'zod';
import { checkOptions, rangeError, shapeError } from '../errors/index.js';
import { asMatrix, type Matrix, type SeriesInput } from '../numeric/index.js';
import { colours, common, drawing, type Entry, framed, type PlotOptions, plotShape } from './frame.js';

/** Options of plotForecast: what is shown beside the forecast, and labels of the axes. */
export interface ForecastPlotOptions extends PlotOptions {
  /** Rows that came before the forecast: they are shown on its left. Default: none. */
  past?: SeriesInput | undefined;
  /** Lower ends of prediction intervals, of the shape of the forecast. Default: none. */
  lower?: SeriesInput | undefined;
  /** Upper ends of prediction intervals. Default: none. */
  upper?: SeriesInput | undefined;
  /** Time from one row to the next. Default 1. */
  dt?: number | undefined;
  /** Label of the time axis, with its unit. Default 'step'. */
  timeLabel?: string | undefined;
  /** Names of the columns, with their units. Default: 'feature 0', 'feature 1', ... */
  names?: readonly string[] | undefined;
  /** Columns to show, one below the other. Default: the first three. */
  columns?: readonly number[] | undefined;
  /** Time after the start of the forecast up to which it is right, such as validTime gives; it is marked. Default: not marked. */
  validTime?: number | undefined;
}

const series = z.custom<SeriesInput>((value) => typeof value === 'object' && value !== null).optional();

const optionsSchema = z.object({
  ...plotShape,
  past: series.describe('a series'),
  lower: series.describe('a series'),
  upper: series.describe('a series'),
  dt: z.number().gt(0).default(1).describe('a number above 0'),
  timeLabel: z.string().default('step').describe('a string'),
  names: z.array(z.string()).optional().describe('an array of strings'),
  columns: z.array(z.int().min(0)).min(1).optional().describe('an array of column numbers'),
  validTime: z.number().min(0).optional().describe('a number, 0 or more'),
});

interface Row {
  time: number;
  value: number;
  feature: string;
}

/**
 * A forecast beside what came: a panel for each column, time from the start of the forecast, prediction intervals as an area.
 *
 * Resolves to the text of an SVG file. `targets` may be longer than the forecast, or null where nothing is known yet.
 *
 * Errors: RangeError ERR_DTESN_SHAPE for series of different widths; TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option;
 * DtesnError ERR_DTESN_PACKAGE without @observablehq/plot or linkedom.
 */
export async function plotForecast(
  targets: SeriesInput | null,
  forecast: SeriesInput,
  options: ForecastPlotOptions = {},
): Promise<string> {
  const checked = checkOptions(optionsSchema, options, 'plotForecast');
  const { dt, width, names, timeLabel, title, validTime } = checked;
  const given = asMatrix(forecast, 'forecast');
  const shown = checked.columns ?? [0, 1, 2].filter((k) => k < given.cols);
  const out = shown.find((k) => k >= given.cols);
  if (out !== undefined) throw rangeError(`columns below ${given.cols}`, 'columns', out);
  if ((checked.lower === undefined) !== (checked.upper === undefined)) {
    throw rangeError('both ends of the intervals', checked.lower === undefined ? 'lower' : 'upper', undefined);
  }
  const nameOf = (k: number) => names?.[k] ?? `feature ${k}`;
  const rowsOf = (rows: SeriesInput, argument: string, from: (all: Matrix) => number): Row[] => {
    const all = asMatrix(rows, argument);
    if (all.cols !== given.cols) throw shapeError(`${argument} with ${given.cols} columns (as forecast)`, all.cols);
    const first = from(all);
    return shown.flatMap((k) =>
      Array.from({ length: all.rows }, (_, t) => ({
        time: (first + t) * dt,
        value: all.data[t * all.cols + k]!,
        feature: nameOf(k),
      })),
    );
  };
  const before = checked.past === undefined ? [] : rowsOf(checked.past, 'past', (all) => -all.rows);
  const came = targets === null ? [] : rowsOf(targets, 'targets', () => 0);
  const outputs = rowsOf(given, 'forecast', () => 0);
  const lower = checked.lower === undefined ? [] : rowsOf(checked.lower, 'lower', () => 0);
  const upper = checked.upper === undefined ? [] : rowsOf(checked.upper, 'upper', () => 0);
  if (upper.length !== lower.length)
    throw shapeError('upper of as many rows as lower', `${upper.length / shown.length}`);
  const ends = lower.map((row, i) => ({ ...row, low: row.value, high: upper[i]!.value }));

  const { Plot, document } = await drawing();
  const height = checked.height ?? 70 + 130 * shown.length;
  const line = { x: 'time', y: 'value', fy: 'feature', z: 'feature' };
  const plot = Plot.plot({
    ...common(document, width, height),
    ...{ marginLeft: 52, marginRight: shown.length > 1 ? 78 : 20, marginBottom: 40, marginTop: 22 },
    x: { label: timeLabel, labelAnchor: 'center', labelArrow: 'none' },
    y: {
      label: shown.length > 1 ? null : nameOf(shown[0]!),
      grid: true,
      nice: true,
      ticks: shown.length > 1 ? 4 : 6,
      labelArrow: 'none',
    },
    fy: { label: null, domain: shown.map(nameOf), axis: shown.length > 1 ? 'right' : null, padding: 0.12 },
    marks: [
      Plot['areaY']!(ends, {
        x: 'time',
        y1: 'low',
        y2: 'high',
        fy: 'feature',
        z: 'feature',
        fill: colours.blue,
        fillOpacity: 0.22,
      }),
      Plot['lineY']!([...before, ...came], { ...line, stroke: 'currentColor', strokeOpacity: 0.75, strokeWidth: 1.4 }),
      Plot['lineY']!(outputs, { ...line, stroke: colours.blue, strokeWidth: 1.8 }),
      before.length > 0 ? Plot['ruleX']!([0], { stroke: 'currentColor', strokeOpacity: 0.45 }) : null,
      validTime === undefined
        ? null
        : Plot['ruleX']!([validTime], { stroke: colours.vermilion, strokeWidth: 1.6, strokeDasharray: '5 3' }),
    ].filter((mark) => mark !== null),
  });
  const legend: Entry[] = [
    ...(came.length + before.length > 0 ? [{ label: 'measured', colour: 'currentColor' }] : []),
    { label: 'forecast', colour: colours.blue },
    ...(ends.length > 0 ? [{ label: 'prediction interval', colour: colours.blue, shape: 'area' as const }] : []),
    ...(validTime === undefined ? [] : [{ label: 'end of the valid time', colour: colours.vermilion }]),
  ];
  return framed(plot, { title, width, height, legend });
}
