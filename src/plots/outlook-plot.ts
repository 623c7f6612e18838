/** A forecast beside what came, as an SVG picture without any package. */
import { checkWhole, rangeError, shapeError } from '../errors/index.js';
import { escaped } from './frame.js';

/** What outlookPlot draws: series of one length. */
export interface OutlookPlotOptions {
  /** When each value came: UTC, seconds since 1970. Required. */
  timeSeconds: ArrayLike<number>;
  /** What came. Required. */
  outcome: ArrayLike<number>;
  /** What was forecast for that time. Required. */
  forecast: ArrayLike<number>;
  /** Above the picture. Default ''. */
  title?: string | undefined;
  /** Name and unit of the values. Default ''. */
  label?: string | undefined;
  /** Pixels, 200 to 4096. Default 960. */
  width?: number | undefined;
  /** Pixels, 150 to 4096. Default 360. */
  height?: number | undefined;
}

const MARGIN = { top: 44, right: 16, bottom: 34, left: 64 };
const COLOURS = { outcome: '#8a8f98', forecast: '#c2410c' };
const TICKS = 5;

/**
 * A forecast beside what came, as an SVG picture without any package.
 *
 *     await writeFile('outlook.svg', outlookPlot({ timeSeconds, outcome, forecast, title: '1 min ahead', label: 'requests/s' }));
 *
 * Where there are more values than pixels, the least and the greatest of each pixel are drawn. A value that is not finite leaves a gap.
 * Errors: RangeError ERR_DTESN_SHAPE for series whose lengths differ, ERR_DTESN_ARGUMENT for a size, or a time that is not finite.
 */
export function outlookPlot(options: OutlookPlotOptions): string {
  const { timeSeconds, outcome, forecast, title = '', label = '', width = 960, height = 360 } = options;
  checkWhole(width, 'width', 200, 4096, 'pixels');
  checkWhole(height, 'height', 150, 4096, 'pixels');
  for (const [name, values] of Object.entries({ outcome, forecast })) {
    if (values.length !== timeSeconds.length)
      throw shapeError(`${name} with ${timeSeconds.length} values`, values.length);
  }
  for (let i = 0; i < timeSeconds.length; i++) {
    if (!Number.isFinite(timeSeconds[i]))
      throw rangeError('finite seconds', `timeSeconds (element ${i})`, timeSeconds[i]);
  }
  const frame = frameOf(
    { width, height },
    [timeSeconds[0] ?? 0, timeSeconds[timeSeconds.length - 1] ?? 1],
    [outcome, forecast],
  );
  const line = (values: ArrayLike<number>, name: keyof typeof COLOURS) =>
    `<path d="${pathOf(timeSeconds, values, frame)}" fill="none" stroke="${COLOURS[name]}" stroke-width="1.2"/>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(MARGIN.left, 18, title, 'font-size="14"'),
    ...Object.entries(COLOURS).map(([name, colour], i) => text(MARGIN.left + 90 * i, 36, name, `fill="${colour}"`)),
    text(width - MARGIN.right, 36, label, 'text-anchor="end" fill="#555"'),
    ...valueTicks(frame),
    ...timeTicks(frame),
    line(outcome, 'outcome'),
    line(forecast, 'forecast'),
    '</svg>',
    '',
  ].join('\n');
}

interface Frame {
  left: number;
  right: number;
  top: number;
  bottom: number;
  x: (seconds: number) => number;
  y: (value: number) => number;
  times: [number, number];
  values: [number, number];
}

function frameOf(
  { width, height }: { width: number; height: number },
  times: [number, number],
  series: readonly ArrayLike<number>[],
): Frame {
  const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
  let [low, high] = [0, 0];
  for (const values of series) {
    for (const value of Array.from(values).filter(Number.isFinite))
      [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  const greatest = high > low ? high : low + 1;
  const duration = Math.max(1e-9, times[1] - times[0]);
  return {
    left,
    right,
    top,
    bottom,
    x: (seconds) => left + ((seconds - times[0]) / duration) * (right - left),
    y: (value) => bottom - ((value - low) / (greatest - low)) * (bottom - top),
    times,
    values: [low, greatest],
  };
}

/** One stroke a run of finite values; in a column of pixels at most its first, least, greatest and last. */
function pathOf(times: ArrayLike<number>, values: ArrayLike<number>, { x, y }: Frame): string {
  const parts: string[] = [];
  let pen = 'M';
  for (let i = 0; i < values.length; ) {
    const column = Math.floor(x(times[i]!));
    let end = i + 1;
    while (end < values.length && Math.floor(x(times[end]!)) === column) end++;
    for (const at of extremes(values, i, end)) {
      if (!Number.isFinite(values[at]!)) {
        pen = 'M';
        continue;
      }
      parts.push(`${pen}${round(x(times[at]!))} ${round(y(values[at]!))}`);
      pen = 'L';
    }
    i = end;
  }
  return parts.join('');
}

function extremes(values: ArrayLike<number>, from: number, to: number): number[] {
  let [least, greatest, low, high] = [from, from, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    if (value < low) [least, low] = [i, value];
    if (value > high) [greatest, high] = [i, value];
  }
  return [...new Set([from, least, greatest, to - 1])].sort((a, b) => a - b);
}

function valueTicks({ left, right, y, values }: Frame): string[] {
  return Array.from({ length: TICKS }, (_, i) => {
    const value = values[0] + (i / (TICKS - 1)) * (values[1] - values[0]);
    const at = round(y(value));
    return `<line x1="${left}" x2="${right}" y1="${at}" y2="${at}" stroke="#e4e4e7"/>${text(left - 6, at + 4, `${Number(value.toPrecision(3))}`, 'text-anchor="end" fill="#555"')}`;
  });
}

function timeTicks({ bottom, x, times }: Frame): string[] {
  return Array.from({ length: TICKS }, (_, i) => {
    const seconds = times[0] + (i / (TICKS - 1)) * (times[1] - times[0]);
    const anchor = i === 0 ? 'start' : i === TICKS - 1 ? 'end' : 'middle';
    const utc = new Date(1000 * seconds).toISOString().slice(11, 19);
    return text(
      round(x(seconds)),
      bottom + 20,
      i === TICKS - 1 ? `${utc} UTC` : utc,
      `text-anchor="${anchor}" fill="#555"`,
    );
  });
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;
}

const round = (value: number) => Math.round(100 * value) / 100;
