/** One result as a page: sources, plan with its effects, stages, membranes by level, features, throughput. */
import type { DtesnResultJson } from '../processor/index.js';
import { engineLines, sourcesLines } from './context-page.js';
import { bar, columns, grouped, milliseconds, type Paint } from './terminal.js';

const BAR = 24;

export function resultPage(result: DtesnResultJson, title: string, paint: Paint): string {
  return [
    ...titleLines(result, title, paint),
    '',
    ...sourcesLines(result.context, paint),
    '',
    ...planLines(result, paint),
    '',
    ...stageLines(result, paint),
    '',
    ...membraneLines(result, paint),
    '',
    ...featureLines(result, paint),
    '',
    throughputLine(result, paint),
  ].join('\n');
}

function titleLines({ engine, input, model, context }: DtesnResultJson, title: string, paint: Paint): string[] {
  const what = `${grouped(input.steps)} ${input.kind === 'tokens' ? 'tokens' : 'steps'}`;
  const label = engine.label ?? 'none';
  return [
    `${paint.bold(paint.accent('dtesn'))}  ${paint.bold(title)}  ${what}, encoded by ${input.encoder}`,
    ...(input.note ? [`       ${paint.warn(input.note)}`] : []),
    `       Deep Tree ESN of ${grouped(model.units)} units in ${model.depth} levels, ${model.inputs} inputs, ${model.isa}`,
    '',
    `${paint.bold('Engine')}  ${label}${engine.simulated ? paint.warn('  (a simulation: no model is running)') : ''}`,
    ...engineLines(context, paint),
  ];
}

function planLines({ applied, execution }: DtesnResultJson, paint: Paint): string[] {
  const rows = applied.map(({ transformation, pipeline, applied: done, effect, reason, error }) => [
    done ? paint.good('●') : paint.dim('○'),
    transformation,
    effect ? `${grouped(effect.before)} → ${grouped(effect.after)} ${effect.quantity}` : '',
    paint.dim(error ?? (effect ? (pipeline ?? '') : reason)),
  ]);
  const { threads, batchSize, chunkSteps, activeMembranes } = execution;
  return [
    `${paint.bold('Plan')}  threads ${threads}, batch ${batchSize}, chunks of ${grouped(chunkSteps)} steps, ${activeMembranes} membranes active`,
    ...columns(rows),
  ];
}

function stageLines({ stages, totalMs }: DtesnResultJson, paint: Paint): string[] {
  const longest = Math.max(...stages.map(({ ms }) => ms));
  const rows = stages.map(({ name, ms }) => [name, milliseconds(ms), paint.accent(bar(ms / longest, BAR))]);
  return [`${paint.bold('Stages')}  ${milliseconds(totalMs)} in all`, ...columns(rows, [1])];
}

function membraneLines({ membranes, model }: DtesnResultJson, paint: Paint): string[] {
  const most = Math.max(...membranes.map(({ activity }) => activity ?? 0), Number.MIN_VALUE);
  const rows: string[][] = [];
  for (let level = 1; level <= model.depth; level++) {
    membranes
      .filter((membrane) => membrane.level === level)
      .forEach(({ tree, units, activity }, i) => {
        rows.push([
          i === 0 ? `level ${level}` : '',
          tree,
          `${grouped(units)} units`,
          activity === null ? paint.dim('held'.padEnd(BAR)) : paint.good(bar(activity / most, BAR)),
          activity === null ? '' : activity.toFixed(3),
        ]);
      });
  }
  return [`${paint.bold('Membranes')}  mean |x| of each rooted tree's region`, ...columns(shortened(rows, paint), [2])];
}

/** A deep tree has hundreds of membranes: the first forty tell the story. */
function shortened(rows: string[][], paint: Paint): string[][] {
  const most = 40;
  if (rows.length <= most) return rows;
  return [...rows.slice(0, most), [paint.dim('…'), paint.dim(`${rows.length - most} more (--json)`)]];
}

function featureLines({ bseries, features }: DtesnResultJson, paint: Paint): string[] {
  const numbers = (values: (number | null)[], count: number) =>
    values
      .slice(0, count)
      .map((v) => v?.toFixed(4) ?? 'held')
      .join('  ');
  const taylor = bseries.taylor.map((value, i) => `h${superscript(i + 1)} ${value.toPrecision(3)}`).join('   ');
  const total = features.endState.length + features.meanState.length + features.differentials.length;
  return [
    `${paint.bold('Features')}  ${grouped(total)} numbers`,
    ...columns([
      ['end state', `${numbers(features.endState, 6)}  …`],
      ['mean state', `${numbers(features.meanState, 6)}  …`],
      [`${bseries.trees} differentials`, `${numbers(features.differentials, 6)}${bseries.trees > 6 ? '  …' : ''}`],
      ['flow', `${taylor}   ${paint.dim(`error of a step ${bseries.errorEstimate.toPrecision(2)}`)}`],
    ]),
  ];
}

function superscript(n: number): string {
  return [...String(n)].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]!).join('');
}

function throughputLine({ stepsPerSecond, model }: DtesnResultJson, paint: Paint): string {
  const bandwidth = (stepsPerSecond * model.weightBytes) / 1e9;
  return `${paint.bold('Throughput')}  ${grouped(stepsPerSecond)} steps a second through the model, ${bandwidth.toFixed(1)} GB/s of weights`;
}
