/**
 * The table of engines: state, since when, evidence and the figures of the last scrape. Where not all are seen at once, those that
 * need attention come first; a short table keeps its order, so that no row moves under the reader.
 */
import { byId, chip, element, KeyedChildren, setAttribute, setHidden, setText, showChip } from './elements.js';
import { byAttention, toneOf } from './engine-states.js';
import { age, clock, count, latency, percent, span, unknown } from './format.js';

const oldSeconds = 3;
/** More engines than these scroll in their card. */
const mostUnscrolled = 8;

export class EnginesView {
  #rows;

  constructor() {
    this.#rows = new KeyedChildren(byId('engines-rows'), makeRow, showRow);
  }

  show(engines) {
    setHidden(byId('engines-none'), engines.length > 0);
    setHidden(byId('engines-table'), engines.length === 0);
    const scrolls = engines.length > mostUnscrolled;
    byId('engines-list').classList.toggle('many', scrolls);
    this.#rows.show(scrolls ? byAttention(engines) : engines, ({ name }) => name);
  }
}

const numbers = [
  'Running',
  'Waiting',
  'KV use',
  'First token p50 / p99',
  'Generated tokens/s',
  'Restarts',
  'Age of figures',
];

function makeRow() {
  const parts = {
    name: element('span', { class: 'name' }),
    simulation: tag('simulation', 'warn'),
    drained: tag('drained', 'idle'),
    anomalies: tag('', 'warn'),
    about: element('span', { class: 'muted small' }),
    state: chip(),
    since: element('span', { class: 'muted small' }),
    evidence: element('span', { class: 'evidence small' }),
    figures: numbers.map(() => element('span')),
  };
  parts.cells = numbers.map((label, i) => element('td', { class: 'number', 'data-label': label }, parts.figures[i]));
  parts.bar = element('span', { class: 'bar', 'aria-hidden': 'true' });
  parts.cells[2].append(parts.bar);
  parts.cells[3].classList.add('long');
  parts.root = element(
    'tr',
    {},
    element('th', { scope: 'row' }, parts.name, parts.simulation, parts.drained, parts.anomalies, parts.about),
    element('td', { class: 'state' }, parts.state.root, ' ', parts.since, parts.evidence),
    ...parts.cells,
  );
  return parts;
}

function tag(text, tone) {
  return element('span', { class: 'tag', 'data-tone': tone }, text);
}

function showRow(parts, engine) {
  const { state, figures, rates } = engine;
  setAttribute(parts.root, 'data-tone', toneOf(engine));
  setText(parts.name, engine.name);
  setHidden(parts.simulation, engine.simulated !== true);
  setHidden(parts.drained, engine.drained !== true);
  const anomalies = engine.anomalies ?? [];
  setHidden(parts.anomalies, anomalies.length === 0);
  setText(parts.anomalies, anomalies.map(({ kind }) => kind).join(', '));
  setText(parts.about, aboutOf(engine));
  showChip(parts.state, toneOf(engine), state.name);
  setText(parts.since, `${span(state.forSeconds)}, since ${clock(Date.parse(state.since))}`);
  const evidence = [...state.evidence, ...anomalies.flatMap((one) => one.evidence)];
  setText(parts.evidence, evidence.join('; '));
  const first = rates?.timeToFirstTokenSeconds;
  const staleness = engine.stalenessSeconds;
  const texts = [
    count(figures?.running),
    count(figures?.waiting),
    percent(figures?.kvUsageMax),
    typeof first?.p50 === 'number' ? `${latency(first.p50)} / ${latency(first.p99)}` : unknown,
    count(rates?.generationTokensPerSecond),
    count(engine.restarts),
    stalenessOf(staleness),
  ];
  texts.forEach((text, i) => {
    setText(parts.figures[i], text);
  });
  setHidden(parts.bar, typeof figures?.kvUsageMax !== 'number');
  parts.bar.style.setProperty('--share', (figures?.kvUsageMax ?? 0).toFixed(3));
  parts.cells[2].classList.toggle('full', figures?.kvUsageMax > 0.95);
  parts.cells.at(-1).classList.toggle('problem', !(staleness <= oldSeconds));
}

function stalenessOf(seconds) {
  if (seconds === null || seconds === undefined) return 'never read';
  return seconds > oldSeconds ? `${age(seconds)}, stale` : age(seconds);
}

function aboutOf({ name, kind, model, url, tickets }) {
  const open = tickets > 0 ? `${tickets} open ${tickets === 1 ? 'ticket' : 'tickets'}` : null;
  return [kind, model, url === name ? null : url, open].filter((part) => part).join(' · ');
}
