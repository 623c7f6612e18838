/**
 * The dashboard: reads from the bridge each second, hears its events, and shows both.
 *
 *     /v1/engines, /v1/status    every second, and at once when an event of a change arrives
 *     /v1/context                every 5 s
 *     /v1/engines/:name/history  when an engine is chosen, and after an interruption
 *     /v1/events                 all the time
 *
 * A page in the background reads nothing. What the page keeps is bounded: an hour of one engine, a hundred events.
 */
import { BridgeRefusal, get } from './bridge-api.js';
import { Charts } from './charts.js';
import { ContextView } from './context-view.js';
import { byId, element, KeyedChildren, setText } from './elements.js';
import { EnginesView } from './engines-view.js';
import { EventFeed } from './event-feed.js';
import { EventsView } from './events-view.js';
import { HeaderView } from './header-view.js';
import { EngineHistory } from './history.js';
import { LoginView } from './login-view.js';
import { StatusView } from './status-view.js';

const tickMs = 1000;
const contextMs = 5000;
const hourSeconds = 3600;
const ofEngines = new Set(['state', 'restart', 'drained', 'restored', 'anomaly', 'added', 'removed']);

class Dashboard {
  #link = { state: 'connecting', sinceMs: Date.now(), lastAnswerMs: 0 };
  #engines = [];
  #status = null;
  #boot = null;
  #history = new EngineHistory();
  /** The engine whose history is shown, and whether its past was read since the last interruption. */
  #chosen = null;
  #hasPast = false;
  #contextAt = 0;
  #skewMs = 0;
  #isReading = false;
  #readAgain = false;

  #header = new HeaderView();
  #enginesView = new EnginesView();
  #statusView = new StatusView();
  #contextView = new ContextView();
  #eventsView = new EventsView();
  #charts = new Charts(byId('charts'));
  #login = new LoginView(() => this.#read());
  #choices = new KeyedChildren(byId('charts-engine'), () => ({ root: element('option') }), showChoice);
  #notices = new KeyedChildren(byId('notices'), () => ({ root: element('p', { class: 'notice' }) }), showNotice);
  #feed = new EventFeed(
    (event) => this.#heard(event),
    (state) => this.#eventsView.showState(state === 'open' ? 'live' : 'interrupted, connecting again'),
  );

  start() {
    byId('charts-engine').addEventListener('change', ({ target }) => this.#choose(target.value));
    byId('charts-window').addEventListener('change', () => this.#draw());
    document.addEventListener('visibilitychange', () => this.#read());
    setInterval(() => this.#tick(), tickMs);
    this.#read();
  }

  #tick() {
    if (this.#isReading) this.#show();
    else this.#read();
  }

  /** One reading at a time; a wish during one is fulfilled after it. */
  async #read() {
    if (document.hidden) {
      this.#hasPast = false;
      return;
    }
    if (this.#isReading) {
      this.#readAgain = true;
      return;
    }
    this.#isReading = true;
    try {
      await this.#readAll();
      this.#reached('live');
    } catch (error) {
      this.#failed(error);
    }
    this.#isReading = false;
    this.#show();
    if (!this.#readAgain) return;
    this.#readAgain = false;
    this.#read();
  }

  async #readAll() {
    const [{ items }, status] = await Promise.all([get('/v1/engines'), get('/v1/status')]);
    this.#take(items, status);
    if (!this.#hasPast && this.#chosen !== null) await this.#readPast();
    const now = Date.now();
    if (now - this.#contextAt >= contextMs) {
      this.#contextAt = now;
      const name = this.#chosen;
      const engine = name === null ? '' : `?engine=${encodeURIComponent(name)}`;
      this.#contextView.show(name, await get(`/v1/context${engine}`));
    }
  }

  async #readPast() {
    const name = this.#chosen;
    const past = await get(`/v1/engines/${encodeURIComponent(name)}/history?seconds=${hourSeconds}`);
    if (name !== this.#chosen) return;
    this.#history.replace(past);
    this.#hasPast = true;
  }

  #take(engines, status) {
    this.#tellChanges(engines);
    this.#engines = engines;
    this.#status = status;
    if (status.boot !== this.#boot) this.#booted(status.boot);
    this.#feed.start(`${status.boot}-0`);
    this.#choices.show(engines, ({ name }) => name);
    const chosen = engines.find(({ name }) => name === this.#chosen) ?? engines[0];
    if (chosen === undefined) return;
    if (chosen.name !== this.#chosen) this.#choose(chosen.name);
    this.#skewMs = Date.parse(chosen.state.since) + 1000 * chosen.state.forSeconds - Date.now();
    this.#history.addItem(this.#bridgeMs() / 1000, chosen);
  }

  /** The bridge's wall time: its clock and that of this computer may differ. */
  #bridgeMs() {
    return Date.now() + this.#skewMs;
  }

  #tellChanges(engines) {
    const before = new Map(this.#engines.map(({ name, state }) => [name, state.name]));
    const changed = engines.filter(({ name, state }) => before.has(name) && before.get(name) !== state.name);
    const calm = new Set(['ready', 'busy']);
    const told = changed.filter(({ name, state }) => !(calm.has(state.name) && calm.has(before.get(name))));
    if (told.length === 0) return;
    announce(told.map(({ name, state }) => `Engine ${name} is ${state.name}`).join('. '));
  }

  #booted(boot) {
    const isRestart = this.#boot !== null;
    this.#boot = boot;
    if (!isRestart) return;
    this.#hasPast = false;
    this.#contextAt = 0;
    this.#history.mark(this.#bridgeMs() / 1000, 'bridge');
    this.#eventsView.add({ type: 'bridge', data: { restarted: 'the bridge is a new process', boot } });
    announce('The bridge restarted');
  }

  #choose(name) {
    this.#chosen = name;
    this.#hasPast = false;
    this.#contextAt = 0;
    this.#history.clear();
    byId('charts-engine').value = name;
    this.#read();
  }

  #heard(event) {
    this.#eventsView.add(event);
    const { type, data } = event;
    if (type === 'restart' && data.engine === this.#chosen) this.#history.mark(Date.parse(data.at) / 1000, 'restart');
    if (type === 'plan' || type === 'config') this.#contextAt = 0;
    if (type === 'end') this.#eventsView.showState('the bridge is ending');
    if (ofEngines.has(type)) this.#read();
  }

  #reached(state) {
    this.#link.lastAnswerMs = Date.now();
    this.#login.show(false);
    if (this.#link.state === state) return;
    if (this.#link.state === 'unreachable') announce('The bridge answers again');
    this.#link.state = state;
    this.#link.sinceMs = Date.now();
  }

  #failed(error) {
    const isUnauthorised = error instanceof BridgeRefusal && error.status === 401;
    const state = isUnauthorised ? 'unauthorised' : 'unreachable';
    if (isUnauthorised) {
      this.#login.show(true);
      this.#feed.stop();
    }
    if (this.#link.state === state) return;
    this.#link.state = state;
    this.#link.sinceMs = Date.now();
    this.#hasPast = false;
    if (!isUnauthorised) announce('The bridge does not answer');
  }

  #show() {
    document.body.classList.toggle('stale', this.#link.state === 'unreachable');
    this.#header.show(this.#link, this.#engines, this.#status, this.#bridgeMs());
    this.#enginesView.show(this.#engines);
    if (this.#status !== null) this.#statusView.show(this.#status);
    this.#notices.show(this.#noticesNow(), ({ key }) => key);
    this.#draw();
  }

  #noticesNow() {
    const simulated = this.#engines.filter((engine) => engine.simulated === true);
    if (simulated.length === 0) return [];
    const all = simulated.length === this.#engines.length;
    const text = all
      ? 'Simulation: every engine here is simulated; its figures are of no model.'
      : `Simulation: ${simulated.map(({ name }) => name).join(', ')} ${simulated.length === 1 ? 'is a simulated engine' : 'are simulated engines'}; the figures are of no model.`;
    return [{ key: 'simulation', tone: 'warn', text }];
  }

  #draw() {
    this.#charts.show(this.#history, Number(byId('charts-window').value), this.#bridgeMs() / 1000);
  }
}

function showChoice({ root }, { name }) {
  setText(root, name);
  if (root.value !== name) root.value = name;
}

function showNotice({ root }, { tone, text }) {
  root.dataset.tone = tone;
  setText(root, text);
}

function announce(text) {
  setText(byId('announcement'), text);
}

new Dashboard().start();
