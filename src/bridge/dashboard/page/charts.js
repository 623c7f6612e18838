/**
 * Seven charts of one engine, drawn by uPlot. Lines differ in colour and in dash; restarts are vertical lines with a word.
 *
 * A chart reads aloud as one sentence of its last figures. Under the pointer the figures of that time are shown instead.
 */
import { element, setAttribute, setText } from './elements.js';
import { clock, count, latency, minute, percent } from './format.js';
import uPlot from './uplot/uPlot.esm.js';

/** `sparse`: figures that single samples have, which a line alone would not show. */
const kinds = [
  { title: 'Requests', format: count, lines: { running: 'running', waiting: 'waiting' } },
  { title: 'KV memory', format: percent, top: 1, lines: { kvUsage: 'in use' } },
  {
    title: 'Tokens per second',
    format: count,
    lines: { generationTokensPerSecond: 'generated', promptTokensPerSecond: 'prompt' },
  },
  {
    title: 'Time to first token',
    format: latency,
    sparse: true,
    lines: { timeToFirstTokenP50Seconds: 'p50', timeToFirstTokenP99Seconds: 'p99' },
  },
  { title: 'Between tokens', format: latency, sparse: true, lines: { interTokenSeconds: 'mean' } },
  { title: 'In the queue', format: latency, sparse: true, lines: { queueSeconds: 'mean' } },
  {
    title: 'First token of reported requests',
    format: latency,
    sparse: true,
    lines: { observedTtftSeconds: 'observed', predictedTtftSeconds: 'predicted' },
  },
];

const height = 148;
const dash = [6, 4];
/** More points do not fit the width of a chart. */
const mostPoints = 120;

export class Charts {
  #charts;
  #history = null;
  #windowSeconds = 600;
  #now = 0;
  #resizes = new ResizeObserver(() => this.#fit());

  constructor(container) {
    this.#charts = kinds.map((kind) => new Chart(kind, container));
    this.#resizes.observe(container);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#redo());
  }

  /** The last `windowSeconds` before `now`, in seconds of the history; a shorter window while it holds all samples. */
  show(history, windowSeconds, now) {
    this.#history = history;
    this.#windowSeconds = windowSeconds;
    this.#now = now;
    const shown = history.windowSeconds(windowSeconds, now);
    const samples = history.since(now - shown, shown / mostPoints);
    for (const chart of this.#charts) chart.show(samples, history.marks, [now - shown, now]);
  }

  #fit() {
    for (const chart of this.#charts) chart.fit();
  }

  /** Colours are read when a chart is made. */
  #redo() {
    for (const chart of this.#charts) chart.remake();
    if (this.#history !== null) this.show(this.#history, this.#windowSeconds, this.#now);
  }
}

class Chart {
  #kind;
  #names;
  #figure;
  #canvas = element('div', { class: 'plot', role: 'img' });
  #values;
  #plot = null;
  #samples = { time: [] };
  #marks = [];

  constructor(kind, container) {
    this.#kind = kind;
    this.#names = Object.keys(kind.lines);
    this.#values = this.#names.map(() => element('span', { class: 'mono' }));
    const keys = this.#names.map((name, i) =>
      element(
        'span',
        { class: 'key' },
        element('span', { class: `line line-${i}`, 'aria-hidden': 'true' }),
        kind.lines[name],
        ' ',
        this.#values[i],
      ),
    );
    this.#figure = element(
      'figure',
      {},
      element('figcaption', {}, element('h3', {}, kind.title), ...keys),
      this.#canvas,
    );
    container.append(this.#figure);
    this.remake();
  }

  show(samples, marks, [min, max]) {
    this.#samples = samples;
    this.#marks = marks;
    this.#plot.setData([samples.time, ...this.#names.map((name) => samples[name])], false);
    this.#plot.setScale('x', { min, max });
    this.#write(this.#plot.cursor.idx);
  }

  fit() {
    const width = this.#canvas.clientWidth;
    if (width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height });
  }

  remake() {
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(), [[], ...this.#names.map(() => [])], this.#canvas);
  }

  /** The figures of a sample, by default the last one. */
  #write(index) {
    const at = index ?? this.#samples.time.length - 1;
    const texts = this.#names.map((name) => this.#kind.format(this.#samples[name]?.[at]));
    texts.forEach((text, i) => {
      setText(this.#values[i], text);
    });
    const figures = this.#names.map((name, i) => `${this.#kind.lines[name]} ${texts[i]}`).join(', ');
    setAttribute(this.#canvas, 'aria-label', `${this.#kind.title}: ${figures}`);
  }

  #options() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--muted'),
      font: '11px system-ui',
      grid: { stroke: colour('--grid'), width: 1 },
      ticks: { show: false },
    };
    const { format, top, sparse } = this.#kind;
    return {
      width: this.#canvas.clientWidth || 300,
      height,
      legend: { show: false },
      // On the right half of a time is beyond the last line of the grid.
      padding: [10, 26, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'time' }, points: { size: 6 } },
      scales: {
        x: { time: true, auto: false },
        y: { range: (_, __, most) => [0, top ?? Math.max(1.15 * (most ?? 0), 1e-6)] },
      },
      axes: [
        {
          ...axis,
          size: 24,
          space: 70,
          values: (_, splits, __, ___, step) => splits.map((at) => (step >= 60 ? minute : clock)(1000 * at)),
        },
        { ...axis, size: 56, space: 34, values: (_, splits) => splits.map((value) => format(value)) },
      ],
      series: [
        {},
        ...this.#names.map((_, i) => ({
          stroke: colour(`--line-${i}`),
          width: 1.75,
          dash: i === 1 ? dash : [],
          points: { show: sparse === true, size: 2.5, fill: colour(`--line-${i}`) },
        })),
      ],
      hooks: {
        draw: [(plot) => this.#drawMarks(plot, colour('--mark'))],
        setCursor: [({ cursor }) => this.#write(cursor.idx)],
      },
    };
  }

  #drawMarks(plot, colour) {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = colour;
    ctx.fillStyle = colour;
    ctx.lineWidth = 1.5 * ratio;
    ctx.textAlign = 'left';
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.font = `${11 * ratio}px system-ui`;
    for (const { time, label } of this.#marks) {
      if (time < plot.scales.x.min || time > plot.scales.x.max) continue;
      const x = plot.valToPos(time, 'x', true);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const width = ctx.measureText(label).width;
      const isRight = x + width + 8 * ratio > bbox.left + bbox.width;
      ctx.fillText(label, isRight ? x - width - 4 * ratio : x + 4 * ratio, bbox.top + 10 * ratio);
    }
    ctx.restore();
  }
}
