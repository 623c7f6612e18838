/** A confusion matrix. */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import type { Confusion, Label } from '../scores/index.js';
import { colours, common, drawing, framed, type PlotOptions, plotShape } from './frame.js';

/** Options of plotConfusion: size, title and names of the classes. */
export interface ConfusionPlotOptions extends PlotOptions {
  /** Names of the classes, in their order. Default: the labels. */
  names?: readonly string[] | undefined;
}

const optionsSchema = z.object({ ...plotShape, names: z.array(z.string()).optional().describe('an array of strings') });

/**
 * A confusion matrix, as `confusion` of dtesn/scores counts it: a row a class, a column a prediction, the share of each row as strength of
 * the colour, and the counts in the cells.
 *
 * Resolves to the text of an SVG file.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option; DtesnError ERR_DTESN_PACKAGE without @observablehq/plot or
 * linkedom.
 */
export async function plotConfusion<L extends Label>(
  confusion: Confusion<L>,
  options: ConfusionPlotOptions = {},
): Promise<string> {
  const { title, names, ...checked } = checkOptions(optionsSchema, { width: 480, ...options }, 'plotConfusion');
  const { classes, counts } = confusion;
  const n = classes.length;
  const nameOf = (i: number) => names?.[i] ?? String(classes[i]);
  const total = (i: number) => Array.from({ length: n }, (_, k) => counts.data[i * n + k]!).reduce((a, b) => a + b, 0);
  const cells = Array.from({ length: n * n }, (_, at) => {
    const [i, k] = [Math.floor(at / n), at % n];
    const count = counts.data[at]!;
    const share = count / Math.max(1, total(i));
    // A single wrong one of many must be seen.
    const strength = count === 0 ? 0 : 0.15 + 0.85 * share;
    return { label: nameOf(i), predicted: nameOf(k), count, share, strength, right: i === k };
  });
  const { width } = checked;
  const height = checked.height ?? Math.round(width * 0.86);
  const { Plot, document } = await drawing();
  const domain = classes.map((_, i) => nameOf(i));
  const place = { x: 'predicted', y: 'label' };
  const plot = Plot.plot({
    ...common(document, width, height),
    ...{ marginLeft: 30 + 7 * Math.max(...domain.map((name) => name.length)), marginTop: 44, marginBottom: 12 },
    x: {
      label: 'predicted',
      domain,
      axis: 'top',
      labelAnchor: 'center',
      labelArrow: 'none',
      tickSize: 0,
      padding: 0.04,
    },
    y: { label: 'class', domain, labelAnchor: 'center', labelArrow: 'none', tickSize: 0, padding: 0.04 },
    marks: [
      Plot['cell']!(cells, { ...place, fill: 'currentColor', fillOpacity: 0.05 }),
      Plot['cell']!(cells, {
        ...place,
        fill: ({ right }: { right: boolean }) => (right ? colours.blue : colours.vermilion),
        fillOpacity: 'strength',
      }),
      Plot['text']!(
        cells.filter(({ count }) => count > 0),
        {
          ...place,
          text: 'count',
          fill: ({ share }: { share: number }) => (share > 0.55 ? '#ffffff' : 'currentColor'),
        },
      ),
    ],
    opacity: { domain: [0, 1], range: [0, 1] },
  });
  const legend = [
    { label: 'right', colour: colours.blue, shape: 'dot' as const },
    { label: 'wrong', colour: colours.vermilion, shape: 'dot' as const },
  ];
  return framed(plot, { title, width, height, legend });
}
