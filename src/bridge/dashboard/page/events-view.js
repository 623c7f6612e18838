/** The last events, the newest first, each as one line: time, type, engine, and what else it says. */
import { byId, element, plain, setHidden, setText } from './elements.js';
import { clock, words } from './format.js';

const most = 100;
const tones = { restart: 'warn', missed: 'warn', removed: 'warn', drained: 'warn', end: 'bad', bridge: 'warn' };

export class EventsView {
  #list = byId('events');

  add({ type, data }) {
    setHidden(byId('events-none'), true);
    const { at, engine, ...rest } = data;
    const time = at === undefined ? Date.now() : Date.parse(at);
    const tone = tones[type] ?? (['hung', 'dead', 'unauthorised'].includes(rest.name) ? 'bad' : 'idle');
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

/** { name: 'hung', evidence: ['a', 'b'] } -> 'name hung · evidence a; b' */
function describe(fields) {
  const texts = Object.entries(fields).map(([name, value]) => {
    if (Array.isArray(value)) return `${words(name).toLowerCase()} ${value.map(short).join('; ')}`;
    return `${words(name).toLowerCase()} ${short(value)}`;
  });
  return plain(texts.join(' · '), 400);
}

const short = (value) =>
  (typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)).slice(0, 200);
