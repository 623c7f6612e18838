/** What GET /v1/status tells: version and phase, sessions, queue and throughput, and the membranes of the last processed input. */
import { byId, element, KeyedChildren, setHidden, setText } from './elements.js';
import { byName, count, unknown, words } from './format.js';

const groups = ['sessions', 'queue', 'inputs', 'throughput'];

export class StatusView {
  #groups = new KeyedChildren(byId('bridge'), makeGroup, showGroup);
  #membranes = new KeyedChildren(byId('membranes'), makeMembrane, showMembrane);

  show(status) {
    setText(byId('version'), [status.version, status.phase].filter((part) => part).join(' · '));
    const known = groups
      .map((name) => ({ name, facts: factsOf('', status[name]) }))
      .filter(({ facts }) => facts.length > 0);
    setHidden(byId('bridge-none'), known.length > 0);
    this.#groups.show(known, ({ name }) => name);
    this.#showMembranes(status.membranes ?? []);
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
