/** docs/multi-source.md says the truth about names: its headings, its functions, and the tests it points to. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import * as dtesn from '../src/index.js';

const root = path.resolve(import.meta.dirname, '..');
const page = readFileSync(path.join(root, 'docs/multi-source.md'), 'utf8');

/** The specification's, in its order. */
const headings = [
  'Overview',
  'Implementation Summary',
  'Core Architecture',
  'Key Methods',
  '1. Main Integration Method',
  '2. Individual Source Fetchers',
  '3. Data Aggregation',
  '4. Pipeline Creation',
  '5. Transformation Application',
  'Data Structure',
  'Multi-Source Data Format',
  'Integration with Engine Context',
  'Performance Characteristics',
  'Concurrent Processing',
  'Data Quality Scoring',
  'Pipeline Optimization',
  'Error Handling',
  'Resilience Features',
  'Graceful Degradation',
  'Usage Examples',
  'Basic Multi-Source Integration',
  'Enhanced Preprocessing with Multi-Source Data',
  'Testing and Validation',
  'Validation Results',
  'Test Coverage',
  'Acceptance Criteria Verification',
  'Future Enhancements',
  '1. Additional Data Sources',
  '2. Advanced Caching',
  '3. Adaptive Quality Thresholds',
  '4. Load Balancing',
  '5. Metrics Collection',
];

/** The rows of the table below a heading whose first column has a name. */
function tableOf(firstColumn: string): string[][] {
  const [, rest = ''] = page.split(new RegExp(`^\\| ${firstColumn} .*$`, 'm'));
  const table = rest.trimStart().split('\n\n')[0]!;
  const rows = table.split('\n').slice(1);
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

function expectTest(file: string, name: string): void {
  const place = path.join(root, file);
  expect(existsSync(place), file).toBe(true);
  const quoted = [`'${name}'`, `"${name}"`];
  const text = readFileSync(place, 'utf8');
  expect(
    quoted.some((title) => text.includes(title)),
    `${file} has the test ${name}`,
  ).toBe(true);
}

const namesIn = (cell: string) => [...cell.matchAll(/"([^"]+)"/g)].map(([, name]) => name!);

test('the headings are those of the specification, in its order', () => {
  expect([...page.matchAll(/^##+ (.*)$/gm)].map(([, heading]) => heading)).toEqual(headings);
});

describe('the sentences of the specification', () => {
  const rows = tableOf('sentence of the specification');

  test('are in a table of three columns', () => {
    expect(rows.length).toBeGreaterThan(40);
    for (const row of rows) expect(row.length, row[0]).toBe(3);
  });

  test.each(rows)('%s: each function is exported, or a method of DtesnProcessor', (_, functions = '') => {
    const names = [...functions.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(name in dtesn || name in dtesn.DtesnProcessor.prototype, name).toBe(true);
  });

  test.each(rows)('%s: each test exists', (_, _functions, tests = '') => {
    const named = [...tests.matchAll(/`(test\/[^`]+)` "([^"]+)"/g)];
    expect(named.length).toBeGreaterThan(0);
    expect(named.map(([whole]) => whole).join('; ')).toBe(tests);
    for (const [, file = '', name = ''] of named) expectTest(file, name);
  });
});

describe('the switches', () => {
  const rows = tableOf('switch');

  test('are all there', () => {
    expect(rows.map(([name]) => name)).toEqual([
      '`parallel_execution`',
      '`enable_caching`',
      '`batch_processing`',
      '`concurrent_execution`',
      '`memory_optimization`',
      '`error_handling`',
      '`pipeline_order` and `priority`',
    ]);
  });

  test.each(rows)('%s has a test', (...cells) => {
    const names = namesIn(cells.at(-1)!);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expectTest('test/processor/flags.test.ts', name);
  });
});

test('every test that the text names exists', () => {
  const named = [...page.matchAll(/`(test\/[^`]+\.test\.ts)`, "([^"]+)"/g)];
  expect(named.length).toBeGreaterThan(0);
  for (const [, file = '', name = ''] of named) expectTest(file, name);
});
