/** docs/bridge-configuration.md says what the schema says. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { configJsonSchema, fields } from '../../../src/bridge/configuration/index.js';
import { fieldTable } from './field-table.js';

/** The cells of a table, without the spaces that align them. */
const cellsOf = (table: string) =>
  table
    .split('\n')
    .filter((row) => !row.includes('---'))
    .map((row) => row.split('|').map((cell) => cell.trim()));

test('the table of fields in docs/bridge-configuration.md is that of the schema', () => {
  const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/bridge-configuration.md'), 'utf8');
  const [, table] = /<!-- fields -->\n([\s\S]*?)\n<!-- \/fields -->/.exec(page) ?? [];
  expect(cellsOf(table ?? '')).toEqual(cellsOf(fieldTable()));
});

test('the JSON Schema marks every field that is taken at the start, and no other', () => {
  const { properties } = configJsonSchema() as { properties: Record<string, { restart?: true; properties?: object }> };
  for (const { name, live } of fields) {
    const [first = '', second] = name.split('.');
    const shape =
      second === undefined ? properties[first] : (properties[first]!.properties as typeof properties)[second];
    expect([name, shape!.restart]).toEqual([name, live ? undefined : true]);
  }
});
