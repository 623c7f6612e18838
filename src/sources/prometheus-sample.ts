/**
 * One sample line of Prometheus text:
 *
 *     name [{ label="value" [, label="value"]... [,] }] value [timestamp] [# {labels} value [timestamp]]
 *
 * In label values \\ \" and \n are escapes, others are errors. Values are decimal numbers, NaN, +Inf, -Inf.
 * Errors: SyntaxError that says what was expected.
 */
import type { Sample } from './metric-families.js';

const name = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const labelName = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"/y;
const plainText = /[^"\\]*/y;
const afterLabel = /[ \t]*(,?)[ \t]*(\}?)/y;
const closing = /[ \t]*,?[ \t]*\}/y;
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const special = new Map([
  ['NaN', Number.NaN],
  ['Inf', Number.POSITIVE_INFINITY],
  ['+Inf', Number.POSITIVE_INFINITY],
  ['-Inf', Number.NEGATIVE_INFINITY],
]);

/** The sample, and the text that tells its series from the others. */
export function readSample(line: string): { sample: Sample; series: string } {
  const metric = match(name, line, 0)?.[0];
  if (metric === undefined) throw new SyntaxError(`expected a metric name at ${at(line, 0)}`);
  let position = skipSpace(line, metric.length);
  let labels: Record<string, string> = Object.create(null);
  if (line[position] === '{') ({ labels, position } = readLabels(line, position + 1));
  else if (position === metric.length) throw new SyntaxError(`expected a value after ${metric}`);
  const series = line.slice(0, position);
  const exemplar = line.indexOf('#', position);
  if (exemplar >= 0) checkExemplar(line, exemplar);
  const [value, timestamp, ...more] = words(line, position, exemplar < 0 ? line.length : exemplar);
  if (more.length > 0) throw new SyntaxError(`text after the timestamp: ${JSON.stringify(more.join(' '))}`);
  return {
    sample: {
      name: metric,
      labels,
      value: readNumber(value, 'value'),
      timestamp: timestamp === undefined ? null : readNumber(timestamp, 'timestamp'),
    },
    series: series.trimEnd(),
  };
}

/** From behind the opening brace to behind the closing one. */
function readLabels(line: string, start: number): { labels: Record<string, string>; position: number } {
  const labels: Record<string, string> = Object.create(null); // so that __proto__ is a label like any other
  let position = start;
  if (match(closing, line, position)) return { labels, position: closing.lastIndex };
  for (;;) {
    const label = match(labelName, line, position)?.[1];
    if (label === undefined) throw new SyntaxError(`expected a label at ${at(line, position)}`);
    if (label in labels) throw new SyntaxError(`the label ${label} is there twice`);
    const { value, end } = readQuoted(line, labelName.lastIndex);
    labels[label] = value;
    const [, comma, brace] = match(afterLabel, line, end)!;
    position = afterLabel.lastIndex;
    if (brace !== '') return { labels, position };
    if (comma === '') throw new SyntaxError(`expected , or } at ${at(line, position)}`);
  }
}

/** From behind the opening quote to behind the closing one. */
function readQuoted(line: string, start: number): { value: string; end: number } {
  let value = '';
  for (let position = start; ; ) {
    value += match(plainText, line, position)![0];
    position = plainText.lastIndex;
    if (position >= line.length) throw new SyntaxError('a label value without its closing quote');
    if (line[position] === '"') return { value, end: position + 1 };
    const escaped = line[position + 1];
    if (escaped !== '\\' && escaped !== '"' && escaped !== 'n') {
      throw new SyntaxError(`unknown escape \\${escaped ?? ''} in a label value`);
    }
    value += escaped === 'n' ? '\n' : escaped;
    position += 2;
  }
}

/** Exemplars are checked and left out: nothing here reads them. */
function checkExemplar(line: string, hash: number): void {
  const brace = skipSpace(line, hash + 1);
  if (line[brace] !== '{') throw new SyntaxError(`expected the labels of an exemplar at ${at(line, brace)}`);
  const { position } = readLabels(line, brace + 1);
  const [value, timestamp, ...more] = words(line, position, line.length);
  if (more.length > 0) throw new SyntaxError('text after the exemplar');
  readNumber(value, 'value of the exemplar');
  if (timestamp !== undefined) readNumber(timestamp, 'timestamp of the exemplar');
}

function readNumber(text: string | undefined, what: string): number {
  const number = text !== undefined && decimal.test(text) ? Number(text) : special.get(text ?? '');
  if (number === undefined)
    throw new SyntaxError(`expected a number for the ${what} but found ${JSON.stringify(text)}`);
  return number;
}

function words(line: string, start: number, end: number): string[] {
  const text = line.slice(start, end).trim();
  return text === '' ? [] : text.split(/[ \t]+/);
}

function match(pattern: RegExp, text: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position;
  return pattern.exec(text);
}

function skipSpace(line: string, start: number): number {
  let position = start;
  while (line[position] === ' ' || line[position] === '\t') position++;
  return position;
}

function at(line: string, position: number): string {
  return position < line.length ? JSON.stringify(line.slice(position, position + 40)) : 'the end of the line';
}
