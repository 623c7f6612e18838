/**
 * Figures of one engine over time, for the charts: at most an hour, one sample a second.
 *
 * The past comes from GET /v1/engines/:name/history, the present from the items of GET /v1/engines. Where samples are further
 * apart than three seconds the lines break.
 */

const capacity = 3600;
const gapSeconds = 3;

export const columnNames = [
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
  time = [];
  columns = Object.fromEntries(columnNames.map((name) => [name, []]));
  /** { time, label }: restarts of the engine and of the bridge. */
  marks = [];

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
    this.time.length = 0;
    for (const name of columnNames) this.columns[name].length = 0;
    this.marks = this.marks.filter(({ label }) => label === 'bridge');
  }

  add(time, values) {
    const last = this.time.at(-1);
    if (last !== undefined && time <= last) return;
    if (last !== undefined && time - last > gapSeconds) {
      this.#push(
        last + 0.001,
        values.map(() => null),
      );
    }
    this.#push(time, values);
  }

  /** An item of GET /v1/engines, now. */
  addItem(time, { figures, rates }) {
    const { timeToFirstTokenSeconds: first, interTokenSeconds: between, queueSeconds: queue } = rates ?? {};
    this.add(time, [
      figures?.running ?? null,
      figures?.waiting ?? null,
      figures?.kvUsageMax ?? null,
      rates?.promptTokensPerSecond ?? null,
      rates?.generationTokensPerSecond ?? null,
      first?.p50 ?? null,
      first?.p99 ?? null,
      between?.mean ?? null,
      queue?.mean ?? null,
    ]);
  }

  mark(time, label) {
    // The event and the history tell of the same restart.
    if (this.marks.some((known) => known.label === label && Math.abs(known.time - time) < gapSeconds)) return;
    this.marks.push({ time, label });
    if (this.marks.length > 200) this.marks.shift();
  }

  #push(time, values) {
    this.time.push(time);
    columnNames.forEach((name, i) => {
      this.columns[name].push(values[i]);
    });
    if (this.time.length <= capacity) return;
    this.time.shift();
    for (const name of columnNames) this.columns[name].shift();
  }
}
