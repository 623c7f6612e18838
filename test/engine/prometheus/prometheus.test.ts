import { describe, expect, test } from 'vitest';
import { type MetricFamily, parsePrometheus } from '../../../src/engine/index.js';
import fc from '../../property/fast-check.js';

const fault = (why: RegExp) =>
  expect.objectContaining({ code: 'ERR_DTESN_METRICS', message: expect.stringMatching(why) });
const rejects = (body: string | Uint8Array, why: RegExp) => {
  let thrown: unknown;
  try {
    parsePrometheus(body);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toEqual(fault(why));
};
const only = (body: string) => {
  const samples = [...parsePrometheus(body).values()].flatMap((family) => family.samples);
  expect(samples).toHaveLength(1);
  return samples[0]!;
};

describe('families', () => {
  test('the declared type decides, so the name of a histogram may end in _total', () => {
    const families = parsePrometheus(
      '# TYPE x_total histogram\nx_total_bucket{le="+Inf"} 2\nx_total_count 2\nx_total_sum 3\n' +
        '# TYPE x_total_created gauge\nx_total_created 1.79e+09\n',
    );
    expect(families.get('x_total')?.samples.map((sample) => sample.name)).toEqual([
      'x_total_bucket',
      'x_total_count',
      'x_total_sum',
    ]);
    expect(families.get('x_total_created')).toMatchObject({ type: 'gauge', samples: [{ value: 1.79e9 }] });
  });

  test('an OpenMetrics counter declared without _total has its sample, and its exemplar is accepted', () => {
    const families = parsePrometheus('# TYPE x counter\nx_total{a="#"} 5 # {trace="t"} 0.5 1.5\n# EOF\n');
    expect(families.get('x')).toMatchObject({ type: 'counter', samples: [{ name: 'x_total', value: 5 }] });
  });

  test('help and type are kept, and undeclared metrics are untyped', () => {
    const families = parsePrometheus('# HELP a one\\ntwo \\\\ three\n# TYPE a gauge\na 1\nb 2\n# a comment\n');
    expect(families.get('a')).toMatchObject({ type: 'gauge', help: 'one\ntwo \\ three' });
    expect(families.get('b')).toMatchObject({ type: 'untyped', help: null });
  });

  test.each([
    ['# TYPE a gauge\n# TYPE a gauge\na 1\n', /second TYPE/],
    ['# TYPE a meter\na 1\n', /unknown type/],
    ['a 1\n# TYPE a gauge\n', /after its samples/],
    ['a{x="1"} 1\na{x="1"} 2\n', /twice/],
    ['a 1\n# EOF\nb 1\n', /after # EOF/],
    ['# HELP a x\n# HELP a y\na 1\n', /second HELP/],
    ['# HELP\na 1\n', /metric name/],
    ['# TYPE 1a gauge\na 1\n', /metric name/],
    ['a{x="1",y="2"} 1\na{y="2", x="1"} 2\n', /twice/],
    ['# TYPE a histogram\na 1\n', /cannot have a plain value/],
  ])('%j is refused', rejects);
});

describe('columns', () => {
  const body =
    '# TYPE h histogram\nh_bucket{e="0",le="0.5"} 1\nother 7\nh_bucket{e="0",le="+Inf"} 3\nh_count{e="0"} 3\nother{e="1"} 8 5\n';

  test('the samples of a family are adjacent even when another family comes between them', () => {
    const families = parsePrometheus(body);
    const h = families.get('h')!;
    expect([...h.values]).toEqual([1, 3, 3]);
    expect([...h.bounds]).toEqual([0.5, Number.POSITIVE_INFINITY, Number.NaN]);
    expect([0, 1, 2].map((i) => h.sampleName(i))).toEqual(['h_bucket', 'h_bucket', 'h_count']);
    expect([h.label(1, 'le'), h.label(1, 'e'), h.label(1, 'l')]).toEqual(['+Inf', '0', undefined]);
    const other = families.get('other')!;
    expect([other.timestamp(0), other.timestamp(1)]).toEqual([null, 5]);
    expect({ ...other.labels(1) }).toEqual({ e: '1' });
  });

  test('a series that a family does not have is a RangeError', () => {
    expect(() => parsePrometheus(body).get('h')!.labels(3)).toThrow(RangeError);
    expect(() => parsePrometheus(body).get('h')!.label(-1, 'e')).toThrow('from 0 to 2');
  });

  test('timestamps are milliseconds; in a body that ends with # EOF they are read as seconds', () => {
    expect(only('a 1 1700000000500\n').timestamp).toBe(1700000000500);
    expect(only('a 1 1700000000.5\n# EOF\n').timestamp).toBe(1700000000500);
  });

  test('the bytes may be a part of a larger buffer', () => {
    const whole = Buffer.from('x 1\na{b="c"} 2\ny 3\n');
    const families = parsePrometheus(new Uint8Array(whole).subarray(4, -4));
    expect([...families.keys()]).toEqual(['a']);
    expect(families.get('a')?.label(0, 'b')).toBe('c');
  });
});

describe('samples', () => {
  test('escapes in label values are decoded', () => {
    const sample = only('a{path="C:\\\\models\\\\m",quote="say \\"m\\"",lines="one\\ntwo",brace="}{,="} 1\n');
    expect({ ...sample.labels }).toEqual({ path: 'C:\\models\\m', quote: 'say "m"', lines: 'one\ntwo', brace: '}{,=' });
  });

  test('a label called __proto__ is a label like any other', () => {
    expect(Object.entries(only('a{__proto__="x"} 1\n').labels)).toEqual([['__proto__', 'x']]);
  });

  test.each([
    ['NaN', Number.NaN],
    ['+Inf', Number.POSITIVE_INFINITY],
    ['Inf', Number.POSITIVE_INFINITY],
    ['-Inf', Number.NEGATIVE_INFINITY],
    ['1.7953796411e+09', 1795379641.1],
    ['-.5', -0.5],
    ['3.', 3],
    ['inf', Number.POSITIVE_INFINITY],
    ['-infinity', Number.NEGATIVE_INFINITY],
    ['nan', Number.NaN],
    ['-0', -0],
    ['123456789012345', 123456789012345],
    ['0.1234567890123456789', 0.12345678901234568],
    ['12345678901234567890', 12345678901234567000],
    ['5e-324', 5e-324],
  ])('the value %s is read', (text, value) => expect(only(`a ${text}\n`).value).toBe(value));

  test('a timestamp is read, and blanks and CRLF are accepted', () => {
    expect(only('  a \t 1.5   1700000000000 \r\n\r\n')).toMatchObject({
      name: 'a',
      value: 1.5,
      timestamp: 1700000000000,
    });
    expect(only('a { x = "1" , } 2\n').labels['x']).toBe('1');
  });

  test.each([
    ['a\n', /expected a value/],
    ['a 0x10\n', /expected a number/],
    ['a 1e\n', /expected a number/],
    ['a 1.2.3\n', /expected a number/],
    ['a .\n', /expected a number/],
    ['a -\n', /expected a number/],
    ['a +NaN\n', /expected a number/],
    ['a 1e400\n', /exceeds the range/],
    ['a 1 NaN\n', /finite timestamp/],
    ['a{,} 1\n', /expected a label/],
    ['a{__name__="b"} 1\n', /reserved/],
    ['a{x=1} 1\n', /quoted/],
    ['a{x} 1\n', /expected =/],
    ['a{x="1"}\n', /expected a value/],
    ['a 1 2 3\n', /end of the line/],
    ['a{x="1} 1\n', /closing quote/],
    ['a{x="\\d"} 1\n', /unknown escape/],
    ['a{x="1",x="2"} 1\n', /label x appears twice/],
    ['a{x="1" y="2"} 1\n', /expected , or }/],
    ['a{1="x"} 1\n', /expected a label/],
    ['a 1 # x\n', /exemplar/],
    ['<!DOCTYPE html>\n<html></html>\n', /Line 1 .*metric name/],
  ])('%j is refused', rejects);
});

describe('bodies', () => {
  test('an empty body, or one without a sample, is refused', () => {
    rejects('', /no sample/);
    rejects('# EOF\n', /no sample/);
  });

  test('a body that is not UTF-8 is refused', () => rejects(Uint8Array.of(0x61, 0xff, 0x0a), /UTF-8/));

  test('syntax that only OpenMetrics has is accepted only in a body that ends with # EOF', () => {
    const body = 'a 1 # {t="x"} 0.5\n# EOF';
    expect(only(body).value).toBe(1);
    expect(only(`${body}\n`).value).toBe(1);
    rejects(body.slice(0, -1), /middle/);
    rejects('a 1 # {t="x"} 0.5\n', /exemplar but do not end with # EOF/);
    rejects('a 1 1.5\n', /timestamp .* EOF/);
    rejects('# TYPE a unknown\na 1\n', /type unknown of a .* EOF/);
  });

  test('a body that is neither bytes nor text is a TypeError', () => {
    expect(() => parsePrometheus([1] as never)).toThrow('Expected a Uint8Array or a string for body');
  });

  test('a last number without a newline is refused with its line', () => rejects('a 1\nb 57', /Line 2 .*middle/));

  test.each([
    ['buckets that decrease', 'h_bucket{le="1"} 5\nh_bucket{le="+Inf"} 4\n', /has 4 .* after 5/],
    ['a count that is not the last bucket', 'h_bucket{le="+Inf"} 4\nh_count 5\n', /counts 5/],
    ['a bucket without bound', 'h_bucket 4\n', /label le/],
    ['two buckets of one bound', 'h_bucket{le="1"} 4\nh_bucket{le="1.0"} 4\n', /two buckets/],
    ['a higher bucket before a lower one of more', 'h_bucket{le="+Inf"} 4\nh_bucket{le="1"} 5\n', /has 4 .* after 5/],
    ['a bucket that is no number', 'h_bucket{le="+Inf"} NaN\n', /NaN/],
  ])('a histogram with %s is refused', (_, samples, why) => rejects(`# TYPE h histogram\n${samples}`, why));

  test('histograms with equal labels in two families are checked separately, whether the count is first or last', () => {
    const of = (name: string, all: number) =>
      `# TYPE ${name} histogram\n${name}_count{e="0"} ${all}\n${name}_bucket{e="0",le="1"} 1\n${name}_bucket{e="0",le="+Inf"} ${all}\n`;
    expect(parsePrometheus(of('a', 4) + of('b', 2)).size).toBe(2);
    const torn = of('b', 2).replace('le="+Inf"} 2', 'le="+Inf"} 3');
    rejects(of('a', 4) + torn, /b\{e="0"\} counts 2 but its bucket le=\+Inf has 3/);
  });

  test('buckets of two histograms may be interleaved', () => {
    const [a, b] = ['0', '1'].map((e) => (le: string, count: number) => `h_bucket{e="${e}",le="${le}"} ${count}\n`);
    const body = `# TYPE h histogram\n${a!('1', 5)}${b!('1', 1)}${a!('+Inf', 6)}${b!('+Inf', 2)}`;
    expect(parsePrometheus(body).get('h')?.length).toBe(4);
    rejects(`${body}h_count{e="1"} 3\n`, /h\{e="1"\} counts 3/);
  });

  test('histograms of two engines are checked separately', () => {
    const of = (engine: number, low: number, all: number) =>
      `h_bucket{engine="${engine}",le="1.0"} ${low}\nh_bucket{engine="${engine}",le="+Inf"} ${all}\nh_count{engine="${engine}"} ${all}\n`;
    expect(parsePrometheus(`# TYPE h histogram\n${of(0, 5, 9)}${of(1, 1, 2)}`).get('h')?.samples).toHaveLength(6);
  });
});

// A generator of bodies: families of gauges and counters with any label values, and lawful histograms.
const metricName = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,12}$/);
const labelName = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,6}$/).filter((name) => name !== 'le');
const labelSets = fc.uniqueArray(
  fc.dictionary(labelName, fc.string({ unit: 'grapheme', maxLength: 8 }), { maxKeys: 3 }),
  {
    minLength: 1,
    maxLength: 3,
    selector: (labels) => JSON.stringify(Object.entries(labels).sort()),
  },
);
const value = fc.oneof(fc.double(), fc.integer(), fc.constant(Number.NaN), fc.constant(Number.POSITIVE_INFINITY));
type Printed = Pick<MetricFamily, 'name' | 'type' | 'help'> & {
  samples: { name: string; labels: Record<string, string>; value: number }[];
};
const plain = fc
  .record({
    name: metricName,
    type: fc.constantFrom('gauge', 'counter', 'untyped'),
    labelSets,
    values: fc.infiniteStream(value),
  })
  .map(({ name, type, labelSets, values }): Printed => {
    const samples = labelSets.map((labels) => ({ name, labels, value: values.next().value as number }));
    return { name, type: type as MetricFamily['type'], help: `of ${name}\n\\`, samples };
  });
const histogram = fc
  .record({ name: metricName, labelSets, steps: fc.array(fc.nat(100), { minLength: 1, maxLength: 6 }) })
  .map(({ name, labelSets, steps }): Printed => {
    const samples = labelSets.flatMap((labels) => {
      let count = 0;
      const buckets = steps.map((step, index) => {
        count += step;
        const le = index === steps.length - 1 ? '+Inf' : `${index}.5`;
        return { name: `${name}_bucket`, labels: { ...labels, le }, value: count };
      });
      return [
        ...buckets,
        { name: `${name}_count`, labels, value: count },
        { name: `${name}_sum`, labels, value: count / 2 },
      ];
    });
    return { name, type: 'histogram', help: null, samples };
  });
const bodies = fc.uniqueArray(fc.oneof(plain, histogram), {
  minLength: 1,
  maxLength: 4,
  selector: (family) => family.name,
  // No name may begin another: x_count would be both a gauge and a part of the histogram x.
  comparator: (a, b) => a.startsWith(b) || b.startsWith(a),
});

function print(families: Printed[], newline: string): string {
  const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  const number = (of: number) => (Object.is(of, -0) ? '-0' : String(of).replace('Infinity', 'Inf'));
  const lines = families.flatMap((family) => [
    ...(family.help === null ? [] : [`# HELP ${family.name} ${escaped(family.help)}`]),
    `# TYPE ${family.name} ${family.type}`,
    ...family.samples.map(({ name, labels, value }) => {
      const inside = Object.entries(labels).map(
        ([label, text]) => `${label}="${escaped(text).replaceAll('"', '\\"')}"`,
      );
      return `${name}${inside.length > 0 ? `{${inside.join(',')}}` : ''} ${number(value)}`;
    }),
  ]);
  return lines.map((line) => line + newline).join('');
}

test('random metrics that are printed and parsed have equal samples', () => {
  fc.assert(
    fc.property(bodies, fc.constantFrom('\n', '\r\n'), (families, newline) => {
      const read = [...parsePrometheus(Buffer.from(print(families, newline))).values()];
      const expected = families.map(({ samples, ...family }) => ({
        ...family,
        samples: samples.map((sample) => ({ ...sample, timestamp: null })),
      }));
      const got = read.map(({ name, type, help, samples }) => ({
        ...{ name, type, help },
        samples: samples.map((sample) => ({ ...sample, labels: { ...sample.labels } })),
      }));
      expect(got).toEqual(expected);
    }),
  );
});

test('every body that is cut inside a line is refused', () => {
  fc.assert(
    fc.property(bodies, fc.nat(), (families, at) => {
      const body = print(families, '\n');
      const prefix = body.slice(0, at % body.length);
      if (prefix.endsWith('\n')) return; // cut between lines: that is for the body's length to show
      expect(() => parsePrometheus(prefix)).toThrow(/ends in the middle|no sample/);
    }),
  );
});

test('a repeated series is found among many series and with many labels', () => {
  const many = Array.from({ length: 100 }, (_, i) => `l${i}="${i}"`);
  const lines = Array.from({ length: 5000 }, (_, i) => `a{n="${i}",${many.slice(0, 3)}} ${i}\n`);
  expect(parsePrometheus(lines.join('')).get('a')?.length).toBe(5000);
  rejects([...lines, lines[1234]].join(''), /Line 5001 .*twice/);
  expect(only(`a{${many}} 1\n`).labels['l99']).toBe('99');
  rejects(`a{${many},l50="x"} 1\n`, /label l50 appears twice/);
  rejects(`a{${many}} 1\na{${[...many].reverse()}} 2\n`, /Line 2 .*twice/);
});
