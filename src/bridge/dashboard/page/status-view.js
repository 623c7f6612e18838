/** Shows GET /v1/status: version and phase, sessions, queue and throughput, and the membranes of the last processed input. */
import { byId, element, KeyedChildren, setHidden, setText } from './elements.js';
import { byName, count, unknown, words } from './format.js';

/** Rates are of the last ten seconds. */
const rateMs = 10_000;

export class StatusView {
  #groups = new KeyedChildren(byId('bridge'), makeGroup, showGroup);
  #membranes = new KeyedChildren(byId('membranes'), makeMembrane, showMembrane);
  #recent = [];

  show(status) {
    setText(byId('version'), [status.version, status.phase].filter((part) => part).join(' · '));
    const { sessions, inputs, queue } = status;
    const groups = Object.entries({ throughput: this.#throughput(status), sessions, inputs, queue })
      .map(([name, value]) => ({ name, facts: factsOf('', value) }))
      .filter(({ facts }) => facts.length > 0);
    setHidden(byId('bridge-none'), groups.length > 0);
    this.#groups.show(groups, ({ name }) => name);
    this.#showMembranes(status.membranes ?? []);
  }

  /** What the counters grew by, a second. */
  #throughput(status) {
    const { boot, sessions, inputs } = status;
    const now = performance.now();
    const totals = { sessionRows: sessions?.rowsApplied, inputs: inputs?.finished, inputSteps: inputs?.steps };
    if (this.#recent.at(-1)?.status !== status) this.#recent.push({ status, boot, at: now, totals });
    this.#recent = this.#recent.filter((sample) => sample.boot === boot && now - sample.at < rateMs);
    const [first] = this.#recent;
    const last = this.#recent.at(-1);
    const rate = (name) =>
      last === undefined || last === first
        ? null
        : (1000 * (last.totals[name] - first.totals[name])) / (last.at - first.at);
    return Object.fromEntries(Object.keys(totals).map((name) => [`${name}PerSecond`, rate(name)]));
  }

  #showMembranes(membranes) {
    const active = membranes.filter(({ activity }) => activity !== null);
    const most = Math.max(1e-9, ...active.map(({ activity }) => activity));
    setText(
      byId('membranes-summary'),
      membranes.length === 0
        ? 'Nothing was processed yet, so no membrane has an activity.'
        : `${active.length} of ${membranes.length} active in the last input; activity is the mean |x| of the units`,
    );
    const items = membranes.map((membrane) => ({ ...membrane, share: (membrane.activity ?? 0) / most }));
    this.#membranes.show(items, ({ index }) => index);
  }
}

/** The figures of an answer's part, and of the parts in it. */
function factsOf(above, value) {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const key = above === '' ? name : `${above} ${name}`;
    if (inner !== null && typeof inner === 'object') return factsOf(key, inner);
    return [{ key, name: words(key), text: byName(name, inner) }];
  });
}

function makeGroup() {
  const name = element('h3');
  const list = element('dl');
  const facts = new KeyedChildren(list, makeFact, showFact);
  return { root: element('div', {}, name, list), name, facts };
}

function showGroup({ name, facts }, group) {
  setText(name, words(group.name));
  facts.show(group.facts, ({ key }) => key);
}

function makeFact() {
  const name = element('dt');
  const value = element('dd', { class: 'mono' });
  return { root: element('div', {}, name, value), name, value };
}

function showFact({ name, value }, fact) {
  setText(name, fact.name);
  setText(value, fact.text);
}

function makeMembrane() {
  const name = element('span', { class: 'mono' });
  const bar = element('span', { class: 'bar', 'aria-hidden': 'true' });
  const value = element('span', { class: 'mono number' });
  return { root: element('li', {}, name, bar, value), name, bar, value };
}

function showMembrane({ root, name, bar, value }, { index, tree, units, activity, share }) {
  setText(name, `${tree ?? index} · ${count(units)} units`);
  bar.style.setProperty('--share', share.toFixed(3));
  setText(value, activity === null ? 'held' : (activity?.toFixed(3) ?? unknown));
  root.classList.toggle('absent', activity === null);
}
