/** Shows GET /v1/context: the quality of the five sources and of those that the host adds, and the plan with its reasons. */
import { byId, element, KeyedChildren, setHidden, setText } from './elements.js';
import { percent, span, words } from './format.js';

export class ContextView {
  #sources = new KeyedChildren(byId('sources-rows'), makeSource, showSource);
  #pipelines = new KeyedChildren(byId('plan'), makePipeline, showPipeline);

  /** The context of an engine by name; null for a bridge without engines. */
  show(name, { multi_source_data: data, plan = [] }) {
    const { aggregation, sources = {} } = data;
    const { score, sources: grades } = aggregation.quality_detail;
    const total = aggregation.total_sources + aggregation.additional_sources;
    const good = aggregation.successful_sources + aggregation.additional_successful;
    setText(
      byId('sources-summary'),
      `${name ?? 'No engine'}: ${good} of ${total} sources answered, mean score ${percent(score)}`,
    );
    setHidden(byId('sources-table'), false);
    const rows = Object.entries(grades).map(([name, grade]) => ({ name, grade, source: sources[name] }));
    this.#sources.show(rows, ({ name }) => name);
    setHidden(byId('plan-none'), plan.length > 0);
    setText(byId('plan-summary'), name === null ? '' : `For inputs beside ${name}`);
    this.#pipelines.show(plan, ({ name }) => name);
  }
}

const grades = { score: 'Score', freshness: 'Fresh', completeness: 'Complete', plausibility: 'Plausible' };

function makeSource() {
  const name = element('span', { class: 'name' });
  const note = element('span', { class: 'muted small' });
  const cells = Object.values(grades).map((label) => element('td', { class: 'number mono', 'data-label': label }));
  const root = element('tr', {}, element('th', { scope: 'row' }, name, note), ...cells);
  return { root, name, note, cells };
}

function showSource({ name, note, cells }, { name: source, grade, source: facts }) {
  setText(name, words(source));
  setText(note, noteOf(grade, facts));
  Object.keys(grades).forEach((key, i) => {
    setText(cells[i], percent(grade[key]));
    cells[i].classList.toggle('problem', grade[key] < 0.5);
  });
}

function noteOf({ implausible = [] }, facts) {
  const parts = [...implausible];
  if (facts?.error) parts.push(facts.error);
  if (facts?.unknown?.length > 0)
    parts.push(`unknown: ${facts.unknown.map((name) => words(name).toLowerCase()).join(', ')}`);
  if (facts?.state && facts.state !== 'ok') parts.unshift(facts.state);
  if (facts?.age_ms >= 1000) parts.push(`read ${span(facts.age_ms / 1000)} ago`);
  return parts.join('; ');
}

function makePipeline() {
  const name = element('span', { class: 'name' });
  const about = element('span', { class: 'muted small' });
  const list = element('ul', { class: 'reasons' });
  const root = element('details', { open: '' }, element('summary', {}, name, ' ', about), list);
  const steps = new KeyedChildren(list, makeStep, showStep);
  return { root, name, about, list, steps };
}

function showPipeline(
  { root, name, about, steps },
  { name: pipeline, source, present, absence, transformations = [] },
) {
  root.classList.toggle('absent', !present);
  setText(name, words(pipeline));
  const from = source === null || source === undefined ? '' : `from ${words(source).toLowerCase()}`;
  setText(about, present ? from : `absent: ${absence ?? 'no reason was given'}`);
  const items = transformations.map((step, i) => ({ ...step, key: `${i} ${step.transformation}` }));
  steps.show(items, ({ key }) => key);
}

function makeStep() {
  const what = element('span');
  const operation = element('span', { class: 'mono operation' });
  const reason = element('span', { class: 'muted small' });
  return { root: element('li', {}, what, ' ', operation, reason), what, operation, reason };
}

function showStep({ what, operation, reason }, step) {
  setText(what, words(step.transformation));
  setText(operation, step.operation);
  setText(reason, step.reason);
}
