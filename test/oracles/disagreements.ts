/** Where the parsers differ, or ours is the strictest: docs/metrics.md gives the reason of each by this name. */
export interface Disagreement {
  what: string;
  body: string;
  promtool: boolean;
  python: boolean;
  ours: boolean;
}

const table: [string, string, boolean, boolean, boolean][] = [
  // what, body, promtool, python, ours
  ['no newline at the end', 'a 1\nb 57', false, true, false],
  ['CRLF', 'a 1\r\n', false, true, true],
  ['an unknown escape in HELP', '# HELP a C:\\models\na 1\n', false, true, true],
  ['an unknown escape in a label', 'a{x="\\d"} 1\n', false, true, false],
  ['a label that is there twice', 'a{x="1",x="2"} 1\n', false, true, false],
  ['a label of the reserved name', 'a{__name__="b"} 1\n', false, true, false],
  ['labels without quotes or comma', 'a{x="1" y="2"} 1\n', false, true, false],
  ['a comma without a label', 'a{,} 1\n', false, true, false],
  ['a number beyond the doubles', 'a 1e400\n', false, true, false],
  ['digits with underscores', 'a 1_000\n', false, true, false],
  ['NaN with a sign', 'a +NaN\n', false, true, false],
  ['text after the timestamp', 'a 1 2 3\n', false, true, false],
  ['a fraction in a timestamp', 'a 1 1.5\n', false, true, false],
  ['a second HELP', '# HELP a x\n# HELP a y\na 1\n', false, true, false],
  ['a second TYPE', '# TYPE a gauge\n# TYPE a gauge\na 1\n', false, true, false],
  ['TYPE after its samples', 'a 1\n# TYPE a gauge\n', false, true, false],
  ['a type of OpenMetrics', '# TYPE a unknown\na 1\n', false, true, false],
  ['a type of OpenMetrics, with # EOF', '# TYPE a unknown\na 1\n# EOF\n', false, true, true],
  ['an exemplar', 'a 1 # {t="x"} 0.5\n# EOF\n', false, false, true],
  ['# EOF without its newline', 'a 1\n# EOF', false, true, true],
  ['a type in capitals', '# TYPE a GAUGE\na 1\n', true, false, false],
  ['TYPE without a type', '# TYPE a\na 1\n', true, false, false],
  ['HELP without a name', '# HELP\na 1\n', true, false, false],
  ['no sample at all', '', true, true, false],
  ['the same series twice', 'a{x="1"} 1\na{x="1"} 2\n', true, true, false],
  ['the same series in another order', 'a{x="1",y="2"} 1\na{y="2",x="1"} 2\n', true, true, false],
  ['text after # EOF', 'a 1\n# EOF\nb 2\n', true, true, false],
  ['buckets that decrease', '# TYPE h histogram\nh_bucket{le="1"} 5\nh_bucket{le="+Inf"} 4\n', true, true, false],
  ['a count that is not the last bucket', '# TYPE h histogram\nh_bucket{le="+Inf"} 4\nh_count 5\n', true, true, false],
  ['a bucket without le', '# TYPE h histogram\nh_bucket 4\n', true, true, false],
  ['a histogram with a plain value', '# TYPE h histogram\nh 4\n', true, true, false],
];

export const disagreements: Disagreement[] = table.map(([what, body, promtool, python, ours]) => {
  return { what, body, promtool, python, ours };
});

/** What only we refuse, by what the error says. */
export const strictest =
  /no sample|appears twice$|text after # EOF|are inconsistent|has no (numeric )?label le|cannot have a plain value|unknown type ""/;
