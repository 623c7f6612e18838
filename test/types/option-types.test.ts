/** Options in an editor: every member of an interface says its unit and default. option-types.ts compares the types. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { qualityGateOptionsSchema } from '../../src/aggregation/index.js';
import { configOptionsSchema, processorOptionsSchema } from '../../src/processor/index.js';

const root = path.resolve(import.meta.dirname, '../..');

/** Comments of an interface's members by their names; '' where there is none. */
function commentsOf(file: string, name: string): Map<string, string> {
  const text = readFileSync(path.join(root, file), 'utf8');
  const [, body = ''] = new RegExp(`export interface ${name} \\{\\n([\\s\\S]*?)\\n\\}`).exec(text) ?? [];
  const members = body.matchAll(/(?:\/\*\* (.*?) \*\/\n)?^ {2}(\w+)\??:/gm);
  return new Map([...members].map(([, comment = '', member = '']) => [member, comment]));
}

describe('what an editor shows', () => {
  test('every option of the processor has a sentence with its default', () => {
    const comments = commentsOf('src/processor/processor-options.ts', 'ProcessorOptions');
    expect([...comments.keys()].sort()).toEqual(Object.keys(processorOptionsSchema.shape).sort());
    for (const [member, comment] of comments) expect(comment, member).toMatch(/default/);
  });

  test('every option of the configuration has a sentence with the default of its schema', () => {
    const comments = commentsOf('src/processor/config.ts', 'DtesnConfigOptions');
    const defaults = configOptionsSchema.parse({});
    expect([...comments.keys()].sort()).toEqual(Object.keys(defaults).sort());
    for (const [name, value] of Object.entries(defaults)) {
      expect(comments.get(name), name).toContain(`${value} by default`);
    }
  });

  test('every option of the quality gate has a sentence', () => {
    const comments = commentsOf('src/aggregation/quality-gate.ts', 'QualityGateOptions');
    expect([...comments.keys()].sort()).toEqual(Object.keys(qualityGateOptionsSchema.shape).sort());
    for (const [member, comment] of comments) expect(comment, member).toMatch(/default|Called/);
  });
});
