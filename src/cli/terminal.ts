/** Text for a person: colours where the terminal shows them, columns that line up, bars. */
import { styleText } from 'node:util';
import { widthOf } from './wrap.js';

type Style = Parameters<typeof styleText>[0];

export class Paint {
  readonly #on: boolean;

  constructor(stream: { isTTY?: boolean }, environment: NodeJS.ProcessEnv = process.env) {
    const { NO_COLOR, FORCE_COLOR } = environment;
    this.#on = FORCE_COLOR ? FORCE_COLOR !== '0' : Boolean(stream.isTTY) && !NO_COLOR;
  }

  text(style: Style, text: string): string {
    return this.#on ? styleText(style, text, { validateStream: false }) : text;
  }

  bold = (text: string) => this.text('bold', text);
  dim = (text: string) => this.text('dim', text);
  good = (text: string) => this.text('green', text);
  warn = (text: string) => this.text('yellow', text);
  bad = (text: string) => this.text('red', text);
  accent = (text: string) => this.text('cyan', text);
}

/** Rows as lines whose columns line up; numbers (columns named in `right`) to the right. */
export function columns(rows: readonly (readonly string[])[], right: readonly number[] = [], indent = '  '): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, widthOf(cell));
    });
  return rows.map((row) =>
    (indent + row.map((cell, i) => pad(cell, widths[i]!, right.includes(i))).join('  ')).trimEnd(),
  );
}

function pad(cell: string, length: number, right: boolean): string {
  const space = ' '.repeat(length - widthOf(cell));
  return right ? space + cell : cell + space;
}

/** A share in [0, 1] as a bar of so many cells. */
export function bar(share: number, cells: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * cells * 8);
  const partial = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8]!;
  return ('█'.repeat(Math.floor(eighths / 8)) + partial).padEnd(cells, '·');
}

export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function milliseconds(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`;
  return ms < 100 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${grouped(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
