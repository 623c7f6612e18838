/**
 * Figures of one engine over time, for the charts: at most an hour, one sample a second, in memory that is taken once.
 *
 * The past comes from GET /v1/engines/:name/history, the present from the items of GET /v1/engines. Where samples are further
 * apart than three seconds the lines break.
 */

const capacity = 3600;
const gapSeconds = 3;
const mostMarks = 50;

const columnNames = [
  'running',
  'waiting',
  'kvUsage',
  'promptTokensPerSecond',
  'generationTokensPerSecond',
  'timeToFirstTokenP50Seconds',
  'timeToFirstTokenP99Seconds',
  'interTokenSeconds',
  'queueSeconds',
];

export class EngineHistory {
  /** { time, label }: restarts of the engine and of the bridge. */
  marks = [];
  #time = new Float64Array(capacity);
  #columns = Object.fromEntries(columnNames.map((name) => [name, new Float64Array(capacity)]));
  #next = 0;
  #size = 0;

  /** Takes the past in the place of what is here. */
  replace({ time, restarts, ...figures }) {
    this.clear();
    for (let i = Math.max(0, time.length - capacity); i < time.length; i++) {
      this.add(
        time[i],
        columnNames.map((name) => figures[name]?.[i] ?? null),
      );
    }
    for (const at of restarts) this.mark(at, 'restart');
  }

  clear() {
    this.#next = 0;
    this.#size = 0;
    this.marks = this.marks.filter(({ label }) => label === 'bridge');
  }

  add(time, values) {
    const last = this.#size === 0 ? null : this.#time[this.#index(this.#size - 1)];
    if (last !== null && time <= last) return;
    if (last !== null && time - last > gapSeconds) this.#push(last + 0.001, []);
    this.#push(time, values);
  }

  /** An item of GET /v1/engines, now. */
  addItem(time, { figures, rates }) {
    const { timeToFirstTokenSeconds: first, interTokenSeconds: between, queueSeconds: queue } = rates ?? {};
    this.add(time, [
      figures?.running,
      figures?.waiting,
      figures?.kvUsageMax,
      rates?.promptTokensPerSecond,
      rates?.generationTokensPerSecond,
      first?.p50,
      first?.p99,
      between?.mean,
      queue?.mean,
    ]);
  }

  mark(time, label) {
    // The event and the history tell of the same restart.
    if (this.marks.some((known) => known.label === label && Math.abs(known.time - time) < gapSeconds)) return;
    this.marks.push({ time, label });
    if (this.marks.length > mostMarks) this.marks.shift();
  }

  /** The samples from a time on, as arrays for a chart: { time, running, ... }, null where a figure is not known. */
  since(from) {
    let first = this.#size;
    while (first > 0 && this.#time[this.#index(first - 1)] >= from) first--;
    const indices = Array.from({ length: this.#size - first }, (_, i) => this.#index(first + i));
    const values = (column) => indices.map((i) => (Number.isNaN(column[i]) ? null : column[i]));
    const columns = columnNames.map((name) => [name, values(this.#columns[name])]);
    return { time: indices.map((i) => this.#time[i]), ...Object.fromEntries(columns) };
  }

  #push(time, values) {
    this.#time[this.#next] = time;
    columnNames.forEach((name, i) => {
      this.#columns[name][this.#next] = values[i] ?? Number.NaN;
    });
    this.#next = (this.#next + 1) % capacity;
    this.#size = Math.min(this.#size + 1, capacity);
  }

  /** Of the i-th oldest sample. */
  #index(i) {
    return (this.#next - this.#size + i + capacity) % capacity;
  }
}
