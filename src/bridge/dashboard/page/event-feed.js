/**
 * The events of the bridge: GET /v1/events, from the oldest one kept, and again after each interruption.
 *
 * The browser reconnects by itself with Last-Event-ID as long as the connection breaks; after an answer that is an error it stops,
 * and the feed opens a new one where the last event left off. Delays between attempts grow from 1 to 10 s.
 */

const types = [
  'state',
  'restart',
  'drained',
  'restored',
  'anomaly',
  'added',
  'removed',
  'plan',
  'config',
  'sessions',
  'missed',
  'end',
];
const firstDelayMs = 1000;
const longestDelayMs = 10_000;

export class EventFeed {
  #onEvent;
  #onState;
  #source = null;
  #lastId = '';
  #delayMs = firstDelayMs;
  #timer = 0;

  /** onEvent({ id, type, data }); onState('open' | 'waiting') */
  constructor(onEvent, onState) {
    this.#onEvent = onEvent;
    this.#onState = onState;
  }

  get isRunning() {
    return this.#source !== null || this.#timer !== 0;
  }

  /** `firstId`: the id after which the events are wanted where none came yet. */
  start(firstId) {
    if (this.isRunning) return;
    if (this.#lastId === '') this.#lastId = firstId;
    this.#open();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#source?.close();
    this.#source = null;
  }

  #open() {
    this.#timer = 0;
    const source = new EventSource(`/v1/events?lastEventId=${encodeURIComponent(this.#lastId)}`);
    source.addEventListener('open', () => {
      this.#delayMs = firstDelayMs;
      this.#onState('open');
    });
    source.addEventListener('error', () => this.#interrupted(source));
    for (const type of types) source.addEventListener(type, (event) => this.#take(type, event));
    this.#source = source;
  }

  #interrupted(source) {
    if (source !== this.#source) return;
    this.#onState('waiting');
    if (source.readyState !== EventSource.CLOSED) return;
    this.#source = null;
    this.#timer = setTimeout(() => this.#open(), this.#delayMs);
    this.#delayMs = Math.min(longestDelayMs, 2 * this.#delayMs);
  }

  #take(type, { lastEventId, data }) {
    if (lastEventId !== '') this.#lastId = lastEventId;
    let fields;
    try {
      fields = JSON.parse(data);
    } catch {
      fields = {};
    }
    this.#onEvent({ id: lastEventId, type, data: fields });
  }
}
