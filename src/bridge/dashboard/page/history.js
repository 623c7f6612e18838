/**
 * Figures of one engine over time, for the charts: at most an hour, one sample a second, in memory that is taken once.
 *
 * The past comes from GET /v1/engines/:name/history, the present from the items of GET /v1/engines. A chart gets points of several
 * seconds each, at most 121 of them: the largest load and p99 of those seconds, so that no peak is lost, and the mean of the other
 * figures. Where samples are further apart than three seconds and than a point the lines break.
 */

const capacity = 3600;
const gapSeconds = 3;
const mostMarks = 50;
const windowsSeconds = [120, 600, 3600];

/** The figures, and what a point is of its samples. */
const columns = {
  running: largest,
  waiting: largest,
  kvUsage: largest,
  promptTokensPerSecond: mean,
  generationTokensPerSecond: mean,
  timeToFirstTokenP50Seconds: mean,
  timeToFirstTokenP99Seconds: largest,
  interTokenSeconds: mean,
  queueSeconds: mean,
  predictedTtftSeconds: mean,
  observedTtftSeconds: mean,
};
const columnNames = Object.keys(columns);

export class EngineHistory {
  /** { time, label }: restarts of the engine and of the bridge. */
  marks = [];
  #time = new Float64Array(capacity);
  #columns = Object.fromEntries(columnNames.map((name) => [name, new Float64Array(capacity)]));
  #next = 0;
  #size = 0;
  #points = Object.fromEntries(['time', ...columnNames].map((name) => [name, []]));

  /** Of the windows up to the chosen one the smallest that holds all samples; else the chosen one. */
  windowSeconds(chosen, now) {
    const known = this.#size === 0 ? 0 : now - this.#time[this.#index(0)];
    return windowsSeconds.find((seconds) => seconds >= known && seconds <= chosen) ?? chosen;
  }

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
    this.#push(time, values);
  }

  /** An item of GET /v1/engines, now. */
  addItem(time, { figures, rates, firstTokens }) {
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
      firstTokens?.predictedSeconds,
      firstTokens?.observedSeconds,
    ]);
  }

  mark(time, label) {
    // The event and the history may both hold this restart.
    if (this.marks.some((known) => known.label === label && Math.abs(known.time - time) < gapSeconds)) return;
    this.marks.push({ time, label });
    if (this.marks.length > mostMarks) this.marks.shift();
  }

  /**
   * The points from a time on, `stepSeconds` each, as arrays for a chart: { time, running, ... }, null where a figure is not known.
   * A point has the time of its last sample. The next call writes into the same arrays.
   */
  since(from, stepSeconds) {
    const stepOf = (i) => Math.floor(this.#time[this.#index(i)] / stepSeconds);
    let first = this.#size;
    while (first > 0 && stepOf(first - 1) >= Math.floor(from / stepSeconds)) first--;
    let size = 0;
    for (let end = first; end < this.#size; first = end) {
      if (size > 0 && this.#isGap(stepOf(first) - stepOf(first - 1), stepSeconds)) {
        this.#write(size++, this.#time[this.#index(first - 1)] + 0.001, first, first);
      }
      while (end < this.#size && stepOf(end) === stepOf(first)) end++;
      this.#write(size++, this.#time[this.#index(end - 1)], first, end);
    }
    for (const values of Object.values(this.#points)) values.length = size;
    return this.#points;
  }

  #isGap(steps, stepSeconds) {
    return steps > 1 && steps * stepSeconds > gapSeconds;
  }

  /** A point of the samples from the `first`-th oldest up to `end`; of none of them every figure is null. */
  #write(at, time, first, end) {
    this.#points.time[at] = time;
    for (const name of columnNames) {
      const known = [];
      for (let i = first; i < end; i++) {
        const value = this.#columns[name][this.#index(i)];
        if (!Number.isNaN(value)) known.push(value);
      }
      this.#points[name][at] = known.length === 0 ? null : columns[name](known);
    }
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

function largest(values) {
  return Math.max(...values);
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
