/** The context of a decision as lines: the five sources, their quality, constraints and hints, and the plan. */
import { type ExplainedPipeline, explainPlan, type MultiSourceData } from '../pipeline/index.js';
import { columns, grouped, milliseconds, type Paint } from './terminal.js';

export function sourcesLines(data: MultiSourceData, paint: Paint): string[] {
  const { data_quality_score, successful_sources, total_sources, quality_detail } = data.aggregation;
  const heading =
    `${paint.bold('Sources')}  quality ${data_quality_score.toFixed(2)}` +
    ` (${successful_sources} of ${total_sources}), graded ${quality_detail.score.toFixed(2)}`;
  const rows = Object.entries(data.sources).map(([name, source]) => {
    const grade = quality_detail.sources[name]?.score ?? 0;
    const about = source.state === 'error' ? `${source.error_code}: ${source.error}` : unknownText(source.unknown);
    return [
      name,
      stateText(source.state, paint),
      milliseconds(source.latency_ms),
      `${milliseconds(source.age_ms)} old`,
      grade.toFixed(2),
      paint.dim(about),
    ];
  });
  const header = ['source', 'state', 'latency', 'age', 'grade', ''].map(paint.dim);
  return [heading, ...columns([header, ...rows], [2, 3, 4])];
}

function stateText(state: string, paint: Paint): string {
  if (state === 'ok') return paint.good(state);
  return state === 'error' ? paint.bad(state) : paint.warn(state);
}

function unknownText(unknown: readonly string[]): string {
  return unknown.length === 0 ? '' : `unknown: ${unknown.join(', ')}`;
}

/** What the engine says it is doing. */
export function engineLines({ sources }: MultiSourceData, paint: Paint): string[] {
  const { model_config: model, performance: load } = sources;
  const share = (value: number | null) => (value === null ? 'unknown' : `${(100 * value).toFixed(1)} %`);
  const number = (value: number | null) => (value === null ? 'unknown' : grouped(value));
  return columns([
    ['model', model.model_name ?? 'unknown', paint.dim('max length'), number(model.max_model_len)],
    [
      'requests',
      `${number(load.running)} running, ${number(load.waiting)} waiting`,
      paint.dim('KV cache'),
      share(load.kv_cache_usage),
    ],
    ['finished', number(load.total_requests), paint.dim('generated tokens'), number(load.generation_tokens_total)],
  ]);
}

export function aggregationLines({ aggregation }: MultiSourceData, paint: Paint): string[] {
  const { processing_constraints, optimization_hints } = aggregation;
  const shown = (value: unknown) =>
    value === null ? paint.warn('unknown') : Array.isArray(value) ? value.join('; ') || 'none' : String(value);
  const rows = (entries: Record<string, unknown>) =>
    columns(Object.entries(entries).map(([key, value]) => [key, shown(value)]));
  return [
    paint.bold('Constraints'),
    ...rows(processing_constraints),
    '',
    paint.bold('Hints'),
    ...rows(optimization_hints),
  ];
}

export function planLines(data: MultiSourceData, paint: Paint): string[] {
  return [paint.bold('Plan'), ...explainPlan(data).flatMap((pipeline) => pipelineLines(pipeline, paint))];
}

function pipelineLines({ name, priority, source, present, absence, transformations }: ExplainedPipeline, paint: Paint) {
  const order = priority === null ? ' ' : String(priority);
  const origin = source === null ? '' : paint.dim(` from ${source}`);
  if (!present) return [`  ${paint.dim(order)} ${paint.dim(name)}${origin}  ${paint.warn('absent')}: ${absence}`];
  return [
    `  ${paint.accent(order)} ${paint.accent(name)}${origin}`,
    ...transformations.flatMap(({ transformation, operation, reason }) => [
      `      ${transformation}  ${paint.bold(operation)}`,
      `          ${paint.dim(reason)}`,
    ]),
  ];
}
