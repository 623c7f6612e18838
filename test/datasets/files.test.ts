import { expect, test } from 'vitest';
import { parseJapaneseVowels, parseTs } from '../../src/datasets/index.js';
import { sharedText, skipped } from '../shared-files.js';

const text = `# A comment
@problemName Two Things
@timeStamps false
@missing true
@univariate false
@dimensions 2
@equalLength false
@classLabel true up down
@data
1,2,3:4,5,?:up
-1.5e-1,2:0,1:down
`;

test('series, labels and unknown values of a .ts file are read', () => {
  const { name, series, labels, classes, targets, missing } = parseTs(text);
  expect(name).toBe('Two Things');
  expect(series.map(({ rows, cols }) => [rows, cols])).toEqual([
    [3, 2],
    [2, 2],
  ]);
  expect([...series[0]!.data]).toEqual([1, 4, 2, 5, 3, Number.NaN]);
  expect([...series[1]!.data]).toEqual([-0.15, 0, 2, 1]);
  expect({ labels, classes, targets, missing }).toEqual({
    labels: ['up', 'down'],
    classes: ['up', 'down'],
    targets: null,
    missing: 1,
  });
});

test('targets of regression and lines that end as on Windows are read', () => {
  const { targets, labels, series } = parseTs(
    '@problemName R\r\n@univariate true\r\n@targetLabel true\r\n@data\r\n1,2:0.5\r\n3,4:-7\r\n',
  );
  expect([...targets!]).toEqual([0.5, -7]);
  expect(labels).toBeNull();
  expect([...series[1]!.data]).toEqual([3, 4]);
});

test.each([
  ['no data line', '@problemName x\n', 'a line @data'],
  ['time stamps', text.replace('timeStamps false', 'timeStamps true'), 'without time stamps'],
  ['an unknown class', text.replace(':up', ':left'), 'one of the classes up, down at the end of line 10'],
  ['a feature too many', text.replace('1,2,3:', '1,2,3:1,2,3:'), '2 features on line 10'],
  ['features of different lengths', text.replace('4,5,?', '4,5'), '3 steps in each feature of line 10'],
  ['a word', text.replace('4,5', '4,five'), 'numbers or ? on line 10 but received five'],
  ['a header without @', text.replace('@missing', 'missing'), 'begins with @ on line 4'],
  ['a target that is no number', '@targetLabel true\n@data\n1,2:x', 'a number at the end of series 0'],
])('a .ts text with %s is an error that names it', (_, wrong, message) => {
  expect(() => parseTs(wrong)).toThrow(
    expect.objectContaining({ code: 'ERR_DTESN_DATA', message: expect.stringContaining(message) }),
  );
});

const train = sharedText('data/japanese-vowels.train');
const tested = sharedText('data/japanese-vowels.test');
test.skipIf(train === null || tested === null)(
  `${skipped(train, tested)}the published Japanese vowels are read`,
  () => {
    const of = (label: number, labels: number[]) => labels.filter((one) => one === label).length;
    const known = parseJapaneseVowels(train!);
    expect(known.series).toHaveLength(270);
    expect(known.labels.map((label) => of(label, known.labels))).toEqual(new Array(270).fill(30));
    expect(known.series.reduce((sum, { rows }) => sum + rows, 0)).toBe(4274);
    const other = parseJapaneseVowels(tested!);
    expect(Array.from({ length: 9 }, (_, label) => of(label, other.labels))).toEqual([
      31, 35, 88, 44, 29, 24, 40, 50, 29,
    ]);
    expect(other.series.reduce((sum, { rows }) => sum + rows, 0)).toBe(5687);
    for (const { rows } of [...known.series, ...other.series]) {
      expect(rows).toBeGreaterThanOrEqual(7);
      expect(rows).toBeLessThanOrEqual(29);
    }
    expect([...known.series[0]!.data.subarray(0, 2)]).toEqual([1.860936, -0.207383]);
  },
);

test('utterances stand apart by empty lines or rows of ones, as many as are said', () => {
  const row = (x: number) => new Array(12).fill(x).join(' ');
  const ones = `${row(2)}\n${row(3)}\n${row(1)}\n${row(4)}\n`;
  const empty = `${row(2)}\n${row(3)}\n\n${row(4)}\n`;
  expect(parseJapaneseVowels(ones, [1, 1])).toEqual(parseJapaneseVowels(empty, [1, 1]));
  expect(parseJapaneseVowels(ones, [2]).labels).toEqual([0, 0]);
  expect(() => parseJapaneseVowels(ones)).toThrow('270 or 370 utterances but received 2');
  expect(() => parseJapaneseVowels('1 2\n')).toThrow('12 numbers on line 1');
});
