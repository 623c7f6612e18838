/** States of a network over time. */
import { z } from 'zod';
import { checkOptions, rangeError } from '../errors/index.js';
import { asMatrix, type Matrix, type SeriesInput } from '../numeric/index.js';
import { common, drawing, framed, type PlotOptions, palette, plotShape } from './frame.js';
import { pngUrl } from './png.js';

/** Options of plotStates: lines or a map, and labels of the axes. */
export interface StatesPlotOptions extends PlotOptions {
  /** 'lines' of a few columns, or a 'map' of all, a cell a number. Default: lines for up to 5 columns. */
  kind?: 'lines' | 'map' | undefined;
  /** Time from one row to the next. Default 1. */
  dt?: number | undefined;
  /** Label of the time axis, with its unit. Default 'step'. */
  timeLabel?: string | undefined;
  /** What the columns are. Default 'unit'. */
  columnLabel?: string | undefined;
  /** What the numbers are, with their unit. Default 'state'. */
  valueLabel?: string | undefined;
}

const optionsSchema = z.object({
  ...plotShape,
  kind: z.enum(['lines', 'map']).optional().describe("'lines' or 'map'"),
  dt: z.number().gt(0).default(1).describe('a number above 0'),
  timeLabel: z.string().default('step').describe('a string'),
  columnLabel: z.string().default('unit').describe('a string'),
  valueLabel: z.string().default('state').describe('a string'),
});

type Checked = z.output<typeof optionsSchema>;

/** Cells of a map in each direction; neighbours beyond are averaged. */
const MOST_CELLS = 1200;

/**
 * States of a network over time, steps x units: lines, or a map whose colours go from blue over white to red, the same distance from 0
 * the same strength.
 *
 * Resolves to the text of an SVG file.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option or no rows; DtesnError ERR_DTESN_PACKAGE without
 * @observablehq/plot or linkedom.
 */
export async function plotStates(states: SeriesInput, options: StatesPlotOptions = {}): Promise<string> {
  const checked = checkOptions(optionsSchema, options, 'plotStates');
  const rows = asMatrix(states, 'states');
  if (rows.rows === 0 || rows.cols === 0) throw rangeError('at least one row', 'states', rows.rows);
  const kind = checked.kind ?? (rows.cols <= palette.length ? 'lines' : 'map');
  return kind === 'lines' ? lines(rows, checked) : map(rows, checked);
}

async function lines({ rows, cols, data }: Matrix, checked: Checked): Promise<string> {
  const { width, title, dt, timeLabel, columnLabel, valueLabel } = checked;
  const shown = Math.min(cols, palette.length);
  const points = Array.from({ length: rows * shown }, (_, i) => {
    const [t, unit] = [i % rows, Math.floor(i / rows)];
    return { time: t * dt, value: data[t * cols + unit]!, unit };
  });
  const { Plot, document } = await drawing();
  const height = checked.height ?? 280;
  const plot = Plot.plot({
    ...common(document, width, height),
    ...{ marginLeft: 52, marginBottom: 40, marginTop: 22 },
    x: { label: timeLabel, labelAnchor: 'center', labelArrow: 'none' },
    y: { label: valueLabel, grid: true, nice: true, labelArrow: 'none' },
    color: { type: 'ordinal', domain: [...palette.keys()].slice(0, shown), range: palette },
    marks: [Plot['lineY']!(points, { x: 'time', y: 'value', z: 'unit', stroke: 'unit', strokeWidth: 1.5 })],
  });
  const legend = palette.slice(0, shown).map((colour, unit) => ({ label: `${columnLabel} ${unit}`, colour }));
  return framed(plot, { title, width, height, legend });
}

async function map(states: Matrix, checked: Checked): Promise<string> {
  const { width, title, dt, timeLabel, columnLabel, valueLabel } = checked;
  const { rows, cols, data } = averaged(states);
  const most = data.reduce((a: number, b: number) => Math.max(a, Math.abs(b)), 0) || 1;
  const url = pngUrl(rows, cols, (t, unit) => diverging(data[t * cols + unit]! / most));
  const { Plot, document } = await drawing();
  const height = checked.height ?? 300;
  const box = { marginLeft: 52, marginRight: 20, marginBottom: 40, marginTop: 22 };
  const plot = Plot.plot({
    ...{ ...common(document, width, height), ...box },
    x: { label: timeLabel, labelAnchor: 'center', labelArrow: 'none', domain: [0, states.rows * dt] },
    y: { label: columnLabel, domain: [states.cols, 0], labelArrow: 'none' },
    marks: [
      Plot['image']!([0], {
        ...{ frameAnchor: 'middle', src: () => url, imageRendering: 'pixelated', preserveAspectRatio: 'none' },
        ...{ width: width - box.marginLeft - box.marginRight, height: height - box.marginTop - box.marginBottom },
      }),
      Plot['frame']!({ stroke: 'currentColor', strokeOpacity: 0.4 }),
    ],
  });
  const rounded = most.toPrecision(2);
  const colour = (share: number) => `rgb(${diverging(share).join(' ')})`;
  const legend = [
    { label: `${valueLabel} -${rounded}`, colour: colour(-1), shape: 'dot' as const },
    { label: '0', colour: '#c8c8c8', shape: 'dot' as const },
    { label: rounded, colour: colour(1), shape: 'dot' as const },
  ];
  return framed(plot, { title, width, height, legend });
}

/** The means of neighbours where there are more numbers than cells. */
function averaged({ rows, cols, data }: Matrix): Matrix & { data: Float64Array } {
  const [high, wide] = [Math.min(rows, MOST_CELLS), Math.min(cols, MOST_CELLS)];
  const sums = new Float64Array(high * wide);
  const counts = new Float64Array(high * wide);
  for (let t = 0; t < rows; t++) {
    for (let k = 0; k < cols; k++) {
      const cell = Math.floor((t * high) / rows) * wide + Math.floor((k * wide) / cols);
      sums[cell]! += data[t * cols + k]!;
      counts[cell]!++;
    }
  }
  return { rows: high, cols: wide, data: sums.map((sum, i) => sum / counts[i]!) };
}

/** From blue over white to red, by -1 to 1. Source: ColorBrewer RdBu (Harrower & Brewer 2003), its ends and its middle. */
const stops = [
  [5, 48, 97],
  [67, 147, 195],
  [247, 247, 247],
  [214, 96, 77],
  [103, 0, 31],
] as const;

function diverging(share: number): [number, number, number] {
  const place = Math.min(3.999999, Math.max(0, (share + 1) * 2));
  const [from, to] = [stops[Math.floor(place)]!, stops[Math.floor(place) + 1]!];
  const mixed = (i: 0 | 1 | 2) => Math.round(from[i] + (place % 1) * (to[i] - from[i]));
  return [mixed(0), mixed(1), mixed(2)];
}
