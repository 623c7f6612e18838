/** The membranes of a Deep Tree. */
import { z } from 'zod';
import { checkOptions, rangeError, shapeError } from '../errors/index.js';
import { colours, escaped, framed, type PlotOptions, plotShape } from './frame.js';

/** What is drawn of a membrane: those of a DeepTreeModel and of membraneTree have it. */
export interface PlottedMembrane {
  /** 1 for the skin. */
  readonly level: number;
  /** Index of its parent; null for the skin. */
  readonly parent: number | null;
  /** Units of its reservoir; undefined where it hosts none. */
  readonly units?: number | undefined;
}

/** Options of plotMembranes: size, title, and the activity of each membrane. */
export interface MembranesPlotOptions extends PlotOptions {
  /** A number for each membrane, 0 or more, such as its mean activity: the strength of its colour. Default: all alike. */
  activity?: ArrayLike<number> | undefined;
  /** What the numbers are, with their unit. Default 'activity'. */
  activityLabel?: string | undefined;
}

const optionsSchema = z.object({
  ...plotShape,
  activity: z
    .custom<ArrayLike<number>>((value) => Array.isArray(value) || ArrayBuffer.isView(value))
    .optional()
    .describe('an array of numbers'),
  activityLabel: z.string().default('activity').describe('a string'),
});

/**
 * The tree of membranes: the skin above, a row a level, the area of a circle by the units of its reservoir, its colour by its activity.
 *
 * Resolves to the text of an SVG file; needs no optional package.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option or no membranes; RangeError ERR_DTESN_SHAPE where there is not a
 * number of activity for each.
 */
export async function plotMembranes(
  membranes: readonly PlottedMembrane[],
  options: MembranesPlotOptions = {},
): Promise<string> {
  const { title, width, activity, activityLabel, ...checked } = checkOptions(optionsSchema, options, 'plotMembranes');
  if (membranes.length === 0) throw rangeError('at least one membrane', 'membranes', 0);
  if (activity !== undefined && activity.length !== membranes.length) {
    throw shapeError(`activity with ${membranes.length} elements (membranes)`, activity.length);
  }
  const levels = Math.max(...membranes.map(({ level }) => level));
  const height = checked.height ?? 90 + 84 * (levels - 1);
  const places = placesOf(membranes, width, height);
  const widest = Math.max(...membranes.map(({ level }) => membranes.filter((one) => one.level === level).length));
  const largest = Math.max(1, ...membranes.map(({ units }) => units ?? 1));
  const radius = Math.min(20, Math.max(2.5, (0.42 * (width - 90)) / widest));
  const most = activity === undefined ? 1 : Math.max(...Array.from(activity)) || 1;
  const edges = membranes.flatMap(({ parent }, i) => {
    if (parent === null) return [];
    const [from, to] = [places[parent]!, places[i]!];
    const middle = (from.y + to.y) / 2;
    const path = `M${fixed(from.x)},${fixed(from.y)}C${fixed(from.x)},${fixed(middle)} ${fixed(to.x)},${fixed(middle)} ${fixed(to.x)},${fixed(to.y)}`;
    return [`<path d="${path}" fill="none" stroke="currentColor" stroke-opacity="0.3"/>`];
  });
  const circles = membranes.map(({ units }, i) => {
    const r = radius * Math.sqrt(0.2 + 0.8 * ((units ?? largest) / largest));
    const strength = activity === undefined ? 0.75 : 0.08 + 0.92 * (activity[i]! / most);
    const { x, y } = places[i]!;
    const said = [`membrane ${i}`, units === undefined ? [] : `${units} units`].flat();
    if (activity !== undefined) said.push(`${activityLabel} ${activity[i]!.toPrecision(3)}`);
    return [
      `<circle class="background" cx="${fixed(x)}" cy="${fixed(y)}" r="${fixed(r)}" fill="#ffffff"/>`,
      `<circle cx="${fixed(x)}" cy="${fixed(y)}" r="${fixed(r)}" fill="${colours.blue}" fill-opacity="${strength.toFixed(3)}" stroke="${colours.blue}">`,
      `<title>${escaped(said.join(', '))}</title></circle>`,
    ].join('');
  });
  const labels = Array.from({ length: levels }, (_, i) => {
    const y = levelHeight(i + 1, levels, height);
    const count = membranes.filter(({ level }) => level === i + 1).length;
    return `<text x="0" y="${fixed(y + 4)}" font-size="12">level ${i + 1}: ${count}</text>`;
  });
  const outerHTML = `<svg width="${width}" height="${height}">${[...edges, ...circles, ...labels].join('')}</svg>`;
  const legend =
    activity === undefined
      ? []
      : [{ label: `${activityLabel} up to ${most.toPrecision(3)}`, colour: colours.blue, shape: 'dot' as const }];
  return framed({ outerHTML }, { title, width, height, legend });
}

const fixed = (value: number) => Number(value.toFixed(1));

const levelHeight = (level: number, levels: number, height: number) =>
  levels === 1 ? height / 2 : 32 + ((height - 64) * (level - 1)) / (levels - 1);

/** Leaves at equal distances, each parent over the middle of its children. */
function placesOf(membranes: readonly PlottedMembrane[], width: number, height: number): { x: number; y: number }[] {
  const levels = Math.max(...membranes.map(({ level }) => level));
  const left = 90;
  return spread(membranes).map((share, i) => ({
    x: left + (width - left - 24) * share,
    y: levelHeight(membranes[i]!.level, levels, height),
  }));
}

/** The horizontal place of each membrane, in [0, 1]. */
function spread(membranes: readonly PlottedMembrane[]): number[] {
  const children = membranes.map(() => [] as number[]);
  membranes.forEach(({ parent }, i) => {
    if (parent !== null) children[parent]!.push(i);
  });
  const leaves = children.filter((own) => own.length === 0).length;
  const places = new Array<number>(membranes.length).fill(0);
  let next = 0;
  const visit = (i: number): void => {
    const own = children[i]!;
    for (const child of own) visit(child);
    places[i] = own.length === 0 ? (next++ + 0.5) / leaves : (places[own[0]!]! + places[own.at(-1)!]!) / 2;
  };
  membranes.forEach(({ parent }, i) => {
    if (parent === null) visit(i);
  });
  return places;
}
