/** The last events, the newest first, each as one line: time, type, engine, and what else it says. */
import { byId, element, plain, setHidden, setText } from './elements.js';
import { clock, words } from './format.js';

const most = 100;
const tones = {
  restart: 'warn',
  missed: 'warn',
  removed: 'warn',
  drained: 'warn',
  anomaly: 'warn',
  end: 'bad',
  bridge: 'warn',
};

export class EventsView {
  #list = byId('events');

  constructor() {
    // A list that scrolls is reached by keyboard in each browser.
    this.#list.tabIndex = 0;
  }

  add({ type, data }) {
    setHidden(byId('events-none'), true);
    const { at, engine, ...rest } = data;
    const time = at === undefined ? Date.now() : Date.parse(at);
    const tone = tones[type] ?? (['hung', 'dead', 'unauthorised'].includes(rest.state) ? 'bad' : 'idle');
    const about = element('span', { class: 'about' });
    setText(about, describe(rest));
    const line = element(
      'li',
      {},
      element('time', { class: 'mono muted', datetime: plain(at ?? new Date(time).toISOString(), 64) }, clock(time)),
      element('span', { class: 'tag', 'data-tone': tone }, words(type)),
    );
    if (engine !== undefined) line.append(element('strong', {}, plain(engine, 256)));
    line.append(about);
    this.#list.prepend(line);
    while (this.#list.childElementCount > most) this.#list.lastElementChild.remove();
  }

  showState(text) {
    setText(byId('events-state'), text);
  }
}

/** { before: 'busy', state: 'hung', evidence: ['a', 'b'] } -> 'busy → hung · a; b' */
function describe({ before, state, ...fields }) {
  const change = state === undefined ? [] : [before === undefined ? state : `${before} → ${state}`];
  const texts = Object.entries(fields).map(([name, value]) => {
    if (name === 'evidence' && Array.isArray(value)) return value.map(short).join('; ');
    if (Array.isArray(value)) return `${words(name).toLowerCase()} ${value.map(short).join(', ')}`;
    return `${words(name).toLowerCase()} ${short(value)}`;
  });
  return plain([...change, ...texts].join(' · '), 400);
}

function short(value) {
  const text = typeof value === 'object' && value !== null ? (value.name ?? JSON.stringify(value)) : value;
  return String(text).slice(0, 200);
}
