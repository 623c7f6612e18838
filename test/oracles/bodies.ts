/** A thousand bodies from one seed: Prometheus text as clients write it, and the same with one thing changed. */
import fc from '../property/fast-check.js';

const word = (pattern: RegExp) => fc.stringMatching(pattern);
const familyName = word(/^[a-z][a-z0-9]{0,5}(_[a-z0-9]{1,5}){0,2}$/).map((name) => `m:${name}`);
/** Neither le nor quantile, which mean something, nor the labels that a Prometheus server puts on what it scrapes. */
const labelName = word(/^[a-zA-Z_][a-zA-Z0-9_]{0,5}$/).filter(
  (name) => !/^(le|quantile|job|instance|__.*)$/.test(name),
);
const labelValue = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
  fc.constantFrom('C:\\models\\m', 'say "m"', 'one\ntwo', '}{,=', '# x', ' a ', 'ü€🙂', '\\n'),
);
const labels = fc.dictionary(labelName, labelValue, { maxKeys: 4 });
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.integer().map(String),
  fc.nat(1_000_000).map((of) => `${of}.0`),
  fc.double({ min: 1e8, max: 2e9, noNaN: true }).map((of) => of.toExponential().replace('e+9', 'e+09')),
  fc.constantFrom(
    'NaN',
    '+Inf',
    '-Inf',
    '0',
    '-0',
    '.5',
    '5.',
    '+5',
    '1E5',
    '1.7953796413065941e+09',
    '9007199254740993',
  ),
);

const plain = fc
  .record({
    name: familyName,
    type: fc.constantFrom('gauge', 'counter', 'untyped'),
    series: fc.uniqueArray(fc.tuple(labels, number, fc.option(fc.nat(2_000_000_000_000), { freq: 6 })), {
      ...{ minLength: 1, maxLength: 4 },
      selector: ([of]) => JSON.stringify(Object.entries(of).sort()),
    }),
    help: fc.option(labelValue),
  })
  .map(({ name: stem, type, series, help }) => {
    const name = type === 'counter' ? `${stem}_total` : stem;
    const lines = series.map(([of, value, time]) => `${name}${written(of)} ${value}${time === null ? '' : ` ${time}`}`);
    return { name: stem, lines: [...head(name, type, help), ...lines] };
  });

const histogram = fc
  .record({
    name: familyName,
    of: labels,
    steps: fc.array(fc.nat(100), { minLength: 1, maxLength: 6 }),
    sumFirst: fc.boolean(),
  })
  .map(({ name, of, steps, sumFirst }) => {
    let count = 0;
    const buckets = steps.map((step, i) => {
      count += step;
      return `${name}_bucket${written({ ...of, le: i === steps.length - 1 ? '+Inf' : `${i}.5` })} ${count}.0`;
    });
    const sum = `${name}_sum${written(of)} ${count / 2}`;
    const counts = [...buckets, `${name}_count${written(of)} ${count}.0`];
    return {
      name,
      lines: [...head(name, 'histogram', 'a histogram'), ...(sumFirst ? [sum, ...counts] : [...counts, sum])],
    };
  });

function head(name: string, type: string, help: string | null): string[] {
  const text = help?.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return [...(text === undefined ? [] : [`# HELP ${name} ${text}`]), `# TYPE ${name} ${type}`];
}

function written(of: Record<string, string>): string {
  const quoted = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  const inside = Object.entries(of).map(([name, value]) => `${name}="${quoted(value)}"`);
  return inside.length === 0 ? '' : `{${inside.join(',')}}`;
}

export const whole = fc
  .uniqueArray(fc.oneof(plain, histogram), {
    ...{ minLength: 1, maxLength: 5, selector: ({ name }: { name: string }) => name },
    // No name may begin another: x_count would be both a gauge and a part of the histogram x.
    comparator: (a: string, b: string) => a.startsWith(b) || b.startsWith(a),
  })
  .map((families) => families.flatMap(({ lines }) => lines.map((line) => `${line}\n`)));

const inserted = fc.constantFrom(
  ...'{}",= \t#\\\n\r0aE+-_:.',
  'le="1"',
  '# EOF\n',
  '# {a="b"} 1',
  ' 1',
  'NaN',
  'é',
  '_total',
);

/** One change: a line less, twice, elsewhere or cut, a byte less, another or more. */
const mutated = fc
  .record({ lines: whole, at: fc.nat(), to: fc.nat(), insert: inserted, kind: fc.nat(6) })
  .map(({ lines, at, to, insert, kind }) => {
    const line = at % lines.length;
    const text = lines[line]!;
    const position = to % text.length;
    const changed = [...lines];
    if (kind === 0) changed.splice(line, 1);
    else if (kind === 1) changed.splice(line, 0, text);
    else if (kind === 2) changed.splice(to % lines.length, 0, ...changed.splice(line, 1));
    else if (kind === 3) changed.splice(line, lines.length, text.slice(0, position));
    else if (kind === 4) changed[line] = text.slice(0, position) + text.slice(position + 1);
    else if (kind === 5) changed[line] = text.slice(0, position) + insert + text.slice(position + 1);
    else changed[line] = text.slice(0, position) + insert + text.slice(position);
    return changed;
  });

export function bodies(seed: number): Buffer[] {
  const drawn = [...fc.sample(whole, { seed, numRuns: 400 }), ...fc.sample(mutated, { seed, numRuns: 600 })];
  return drawn.map((lines) => Buffer.from(lines.join('')));
}
