/**
 * A picture: a plot with its title, legend and colours, as the text of one SVG.
 *
 * It needs no browser: Observable Plot draws into a document of linkedom, both optional packages. Text and background follow the light or
 * dark scheme of who looks at it; the colours of series are those of Okabe and Ito, which colour-blind people tell apart.
 *
 * Errors: DtesnError ERR_DTESN_PACKAGE with the npm command where one of the packages is missing.
 * Source: Okabe & Ito (2002), "Color universal design".
 */
import { z } from 'zod';
import { importOptional } from '../host/index.js';

/** What every plot takes. */
export interface PlotOptions {
  /** Title above the plot. Default: none. */
  title?: string | undefined;
  /** Width of the picture in pixels, 200 to 10,000. Default 720. */
  width?: number | undefined;
  /** Height of the plot without title and legend in pixels, 80 to 10,000. Default: by what it shows. */
  height?: number | undefined;
}

export const plotShape = {
  title: z.string().optional().describe('a string'),
  width: z.number().min(200).max(10_000).default(720).describe('a number from 200 to 10000'),
  height: z.number().min(80).max(10_000).optional().describe('a number from 80 to 10000'),
};

/** Colours of series, in their order; they have a contrast of 3 or more to both backgrounds. */
export const colours = {
  blue: '#2f7fc1',
  vermilion: '#d55e00',
  green: '#009e73',
  purple: '#b565a0',
  orange: '#c98500',
};
export const palette = Object.values(colours);

/** What Observable Plot exports, as far as it is used here: marks and plots are opaque. */
export interface Drawing {
  plot(options: object): { outerHTML: string };
  // biome-ignore lint/suspicious/noExplicitAny: the marks take what their documentation says
  [mark: string]: (...given: any[]) => any;
}

/** The two packages: what draws, and the document it draws into. */
export async function drawing(): Promise<{ Plot: Drawing; document: unknown }> {
  const install = '@observablehq/plot linkedom';
  const Plot = (await importOptional('@observablehq/plot', '^0.6.17', 'plots', install)) as Drawing;
  const { parseHTML } = (await importOptional('linkedom', '^0.18.12', 'plots', install)) as {
    parseHTML(text: string): { document: unknown };
  };
  return { Plot, document: parseHTML('<!doctype html><html><body></body></html>').document };
}

/** One entry of a legend. */
export interface Entry {
  label: string;
  /** 'currentColor' is that of the text. */
  colour: string;
  /** A line, or an area. Default a line. */
  shape?: 'line' | 'area' | 'dot';
}

const TITLE = 30;
const LEGEND = 24;
const PADDING = 14;

const styles = `
  svg.dtesn { color: #24292f; background: #ffffff; font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
  svg.dtesn .background { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    svg.dtesn { color: #d8dee4; background: #16191d; }
    svg.dtesn .background { fill: #16191d; }
  }
`;

/** The text of the SVG file. */
export function framed(
  plot: { outerHTML: string },
  { title, width, height, legend = [] }: { title: string | undefined; width: number; height: number; legend?: Entry[] },
): string {
  const above = PADDING + (title === undefined ? 0 : TITLE) + (legend.length === 0 ? 0 : LEGEND);
  const [outerWidth, outerHeight] = [width + 2 * PADDING, above + height + PADDING];
  const heading =
    title === undefined
      ? ''
      : `<text x="${PADDING + 6}" y="${PADDING + 16}" font-size="16" font-weight="600">${escaped(title)}</text>`;
  const body = plot.outerHTML
    .replace('<svg ', `<svg x="${PADDING}" y="${above}" `)
    .replace(/ d="[^"]*"/g, (path) => path.replace(/(\.\d)\d+/g, '$1'))
    .replace(/ xmlns(:xlink)?="[^"]*"/g, '')
    .replace(/background: white;|background: var\(--plot-background\);?/g, '');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" class="dtesn" role="img" color="#24292f" fill="currentColor"`,
    ` width="${outerWidth}" height="${outerHeight}" viewBox="0 0 ${outerWidth} ${outerHeight}">`,
    title === undefined ? '' : `<title>${escaped(title)}</title>`,
    `<style>${styles}</style><rect class="background" width="100%" height="100%" fill="#ffffff"/>`,
    heading,
    legendOf(legend, PADDING + 6, above - 9),
    `${body}</svg>\n`,
  ].join('');
}

function legendOf(entries: readonly Entry[], left: number, y: number): string {
  let x = left;
  return entries
    .map(({ label, colour, shape = 'line' }) => {
      const mark = {
        line: `<line x1="${x}" x2="${x + 18}" y1="${y - 4}" y2="${y - 4}" stroke="${colour}" stroke-width="2.5"/>`,
        area: `<rect x="${x}" y="${y - 10}" width="18" height="11" fill="${colour}" fill-opacity="0.25"/>`,
        dot: `<circle cx="${x + 9}" cy="${y - 4}" r="4" fill="${colour}" stroke="currentColor" stroke-opacity="0.4"/>`,
      }[shape];
      const text = `<text x="${x + 24}" y="${y}" font-size="12">${escaped(label)}</text>`;
      x += 44 + 7 * label.length;
      return mark + text;
    })
    .join('');
}

/** Text as the content or attribute of an element of XML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[one]!);
}

/** Options of Observable Plot that all plots share. */
export function common(document: unknown, width: number, height: number) {
  return {
    ...{ document, width, height },
    style: { fontSize: '12px', fontFamily: 'inherit', color: 'currentColor', overflow: 'visible' },
  };
}

/** A tick of a logarithmic axis: 0.01, 100, 1e-5. */
export function shortNumber(value: number): string {
  return value >= 0.01 && value < 10_000 ? String(value) : value.toExponential(0).replace('+', '');
}
