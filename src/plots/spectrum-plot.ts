/** Power spectra of series. */
import { z } from 'zod';
import { checkOptions, rangeError } from '../errors/index.js';
import { asMatrix, fft, type Matrix, type SeriesInput } from '../numeric/index.js';
import { common, drawing, framed, type PlotOptions, palette, plotShape, shortNumber } from './frame.js';

/** Options of plotSpectrum: the time of a row, the column, and the rows of a segment. */
export interface SpectrumPlotOptions extends PlotOptions {
  /** Time from one row to the next. Default 1. */
  dt?: number | undefined;
  /** Unit of the frequency axis. Default '1/step'. */
  frequencyUnit?: string | undefined;
  /** Column that is compared. Default 0. */
  column?: number | undefined;
  /** Rows of a segment, a power of two: longer ones resolve finer frequencies, shorter ones are smoother. Default: an eighth of the series. */
  segment?: number | undefined;
}

const optionsSchema = z.object({
  ...plotShape,
  dt: z.number().gt(0).default(1).describe('a number above 0'),
  frequencyUnit: z.string().default('1/step').describe('a string'),
  column: z.int().min(0).default(0).describe('a whole number, 0 or more'),
  segment: z
    .int()
    .min(8)
    .refine((rows) => Number.isInteger(Math.log2(rows)))
    .optional()
    .describe('a power of two, 8 or more'),
});

/**
 * The power spectra of one or more series, such as what was measured and what a closed loop makes: a forecast that has left the exact
 * path may still have the right climate.
 *
 * Welch's estimate: the mean over half overlapping segments, less their mean and in a Hann window, in units² per frequency. Resolves to
 * the text of an SVG file.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option, no series, or one shorter than a segment; DtesnError
 * ERR_DTESN_PACKAGE without @observablehq/plot or linkedom.
 * Source: Welch (1967), IEEE Trans. Audio and Electroacoustics 15.
 */
export async function plotSpectrum(
  series: Readonly<Record<string, SeriesInput>>,
  options: SpectrumPlotOptions = {},
): Promise<string> {
  const { dt, width, title, column, ...checked } = checkOptions(optionsSchema, options, 'plotSpectrum');
  const names = Object.keys(series);
  if (names.length === 0 || names.length > palette.length)
    throw rangeError(`one to ${palette.length} series`, 'series', names.length);
  const points = names.flatMap((name) => {
    const rows = asMatrix(series[name]!, name);
    if (column >= rows.cols) throw rangeError(`below ${rows.cols} (columns of ${name})`, 'column', column);
    const segment = checked.segment ?? Math.max(8, 2 ** Math.floor(Math.log2(rows.rows / 8)));
    if (rows.rows < segment) throw rangeError(`at least ${segment} rows (segment)`, name, rows.rows);
    return welch(rows, column, segment, dt).map((point) => ({ ...point, name }));
  });
  const { Plot, document } = await drawing();
  const height = checked.height ?? 300;
  const plot = Plot.plot({
    ...common(document, width, height),
    ...{ marginLeft: 60, marginBottom: 40, marginTop: 22 },
    x: { label: `frequency (${checked.frequencyUnit})`, labelAnchor: 'center', labelArrow: 'none' },
    y: { type: 'log', label: 'power density', grid: true, ticks: 5, tickFormat: shortNumber, labelArrow: 'none' },
    color: { type: 'ordinal', domain: names, range: ['currentColor', ...palette] },
    marks: [Plot['lineY']!(points, { x: 'frequency', y: 'power', z: 'name', stroke: 'name', strokeWidth: 1.5 })],
  });
  const legend = names.map((label, i) => ({ label, colour: ['currentColor', ...palette][i]! }));
  return framed(plot, { title, width, height, legend });
}

/** Power density at the frequencies 1/(segment dt) ... 1/(2 dt). */
export function welch(
  { rows, cols, data }: Matrix,
  column: number,
  segment: number,
  dt: number,
): { frequency: number; power: number }[] {
  const window = Float64Array.from({ length: segment }, (_, i) => Math.sin((Math.PI * (i + 0.5)) / segment) ** 2);
  const weight = window.reduce((sum, w) => sum + w * w, 0);
  const power = new Float64Array(segment / 2);
  let segments = 0;
  for (let from = 0; from + segment <= rows; from += segment / 2, segments++) {
    const values = Float64Array.from({ length: segment }, (_, i) => data[(from + i) * cols + column]!);
    const mean = values.reduce((sum, x) => sum + x, 0) / segment;
    const real = values.map((x, i) => (x - mean) * window[i]!);
    const imaginary = new Float64Array(segment);
    fft(real, imaginary);
    // One side: the power of negative frequencies is added, but for the highest one, which has none.
    for (let k = 1; k <= segment / 2; k++) {
      const sides = k === segment / 2 ? 1 : 2;
      power[k - 1]! += (sides * dt * (real[k]! ** 2 + imaginary[k]! ** 2)) / weight;
    }
  }
  return Array.from(power, (sum, k) => ({
    frequency: (k + 1) / (segment * dt),
    power: Math.max(sum / segments, Number.MIN_VALUE),
  }));
}
