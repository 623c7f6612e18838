/** What a search found. */
import { z } from 'zod';
import { checkOptions, rangeError } from '../errors/index.js';
import { colours, common, drawing, framed, type PlotOptions, plotShape, shortNumber } from './frame.js';

/** One row of the table of a search. */
export interface SearchPlotRow {
  /** The values of its parameters. */
  readonly candidate: Readonly<Record<string, unknown>>;
  /** Its score; null where it failed. Smaller is better. */
  readonly score: number | null;
}

/** Options of plotSearch: size, title, and which parameters are shown. */
export interface SearchPlotOptions extends PlotOptions {
  /** Parameters to show, a panel each. Default: all that differ, at most six. */
  parameters?: readonly string[] | undefined;
  /** What the score is, with its unit. Default 'score'. */
  scoreLabel?: string | undefined;
}

const optionsSchema = z.object({
  ...plotShape,
  parameters: z.array(z.string()).min(1).optional().describe('an array of names'),
  scoreLabel: z.string().default('score').describe('a string'),
});

const MOST_PANELS = 6;
const GAP = 14;

/**
 * The scores of all candidates of a search, a panel for each parameter, the best one marked. An axis is logarithmic where the values
 * span more than a factor of 50.
 *
 * Resolves to the text of an SVG file.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option, or no candidate with a score; DtesnError ERR_DTESN_PACKAGE
 * without @observablehq/plot or linkedom.
 */
export async function plotSearch(table: readonly SearchPlotRow[], options: SearchPlotOptions = {}): Promise<string> {
  const { title, width, scoreLabel, ...checked } = checkOptions(optionsSchema, options, 'plotSearch');
  const rows = table.filter((row): row is SearchPlotRow & { score: number } => Number.isFinite(row.score));
  if (rows.length === 0) throw rangeError('at least one candidate with a score', 'table', rows.length);
  const names = checked.parameters ?? differing(rows).slice(0, MOST_PANELS);
  if (names.length === 0) throw rangeError('a parameter that differs', 'table', names.length);
  const best = rows.reduce((least, row) => (row.score < least.score ? row : least));
  const across = Math.min(3, names.length);
  const height = checked.height ?? 210 * Math.ceil(names.length / across);
  const panel = { width: (width - GAP * (across - 1)) / across, height: height / Math.ceil(names.length / across) };
  const { Plot, document } = await drawing();
  const scores = rows.map(({ score }) => score);
  const panels = names.map((name, i) => {
    const values = rows.map(({ candidate }) => candidate[name]);
    const isNumeric = values.every((value) => typeof value === 'number');
    const x = (row: SearchPlotRow) => (isNumeric ? (row.candidate[name] as number) : String(row.candidate[name]));
    const y = (row: SearchPlotRow) => row.score;
    const plot = Plot.plot({
      ...common(document, panel.width, panel.height),
      ...{ marginLeft: 50, marginRight: 10, marginBottom: 40, marginTop: 24 },
      x: {
        ...scaleOf(isNumeric ? (values as number[]) : null, panel.width),
        label: name,
        labelAnchor: 'center',
        labelArrow: 'none',
      },
      y: { ...scaleOf(scores, 160), label: i % across === 0 ? scoreLabel : null, grid: true, labelArrow: 'none' },
      marks: [
        Plot['dot']!(rows, { x, y, fill: colours.blue, fillOpacity: 0.55, r: 3 }),
        Plot['dot']!([best], { x, y, stroke: colours.vermilion, strokeWidth: 2, r: 6 }),
      ],
    });
    const at = `x="${(i % across) * (panel.width + GAP)}" y="${Math.floor(i / across) * panel.height}" `;
    return plot.outerHTML.replace('<svg ', `<svg ${at}`);
  });
  const legend = [
    { label: 'candidate', colour: colours.blue, shape: 'dot' as const },
    { label: `best: ${best.score.toPrecision(3)}`, colour: colours.vermilion, shape: 'dot' as const },
  ];
  const outerHTML = `<svg width="${width}" height="${height}">${panels.join('')}</svg>`;
  return framed({ outerHTML }, { title, width, height, legend });
}

function differing(rows: readonly SearchPlotRow[]): string[] {
  const names = [...new Set(rows.flatMap(({ candidate }) => Object.keys(candidate)))];
  return names.filter((name) => new Set(rows.map(({ candidate }) => JSON.stringify(candidate[name]))).size > 1);
}

/** A scale of numbers, logarithmic where they span much; of names where there are none. */
function scaleOf(values: readonly number[] | null, length: number): object {
  if (values === null) return { type: 'point' };
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (least > 0 && most / least > 50) return { type: 'log', nice: true, ticks: 3, tickFormat: shortNumber };
  return { type: 'linear', nice: true, ticks: Math.max(2, Math.round(length / 50)) };
}
