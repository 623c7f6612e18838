import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect, describe as group, test } from 'vitest';
import { z } from 'zod';
import { EngineError } from '../src/engine/index.js';
import { argumentError, checkOptions, DtesnError, describe, rangeError, shapeError } from '../src/errors/index.js';
import { addon } from '../src/native/index.js';

group('the sentence of an error', () => {
  test('says what was expected, for which argument, and what came', () => {
    expect(argumentError('a number', 'leak', '1').message).toBe(
      'Expected a number for leak but received the string "1"',
    );
    expect(rangeError('a number in (0, 1]', 'leak', 1.5).message).toBe(
      'Expected a number in (0, 1] for leak but received 1.5',
    );
    expect(shapeError('series with 3 features', 2).message).toBe('Expected series with 3 features but received 2');
  });

  test.each([
    ['TypeError', argumentError('a number', 'leak', null), 'ERR_DTESN_ARGUMENT'],
    ['RangeError', shapeError('x', 1), 'ERR_DTESN_SHAPE'],
    ['DtesnError', new DtesnError('ERR_DTESN_EMPTY', 'x'), 'ERR_DTESN_EMPTY'],
    ['EngineError', new EngineError('ERR_DTESN_ENGINE_HTTP', 'x'), 'ERR_DTESN_ENGINE_HTTP'],
    ['TypeError', thrownBy(() => addon().bytesToAlignment([] as never)), 'ERR_DTESN_ARGUMENT'],
  ])('%s: the name is that of the class, and the stack begins with class and code', (name, error, code) => {
    expect(error.name).toBe(name);
    expect(Object.hasOwn(error, 'name')).toBe(false);
    expect(error.stack).toMatch(new RegExp(`^${name} \\[${code}\\]: `));
    expect(inspect(error)).toContain(`${name} [${code}]: `);
    expect(error).toMatchObject({ code });
  });

  test('the text of an error begins with class and code', () => {
    expect(String(argumentError('a number', 'leak', null))).toMatch(/^TypeError \[ERR_DTESN_ARGUMENT\]: Expected/);
    expect(String(shapeError('x', 1))).toMatch(/^RangeError \[ERR_DTESN_SHAPE\]: /);
    expect(String(new DtesnError('ERR_DTESN_EMPTY', 'x'))).toBe('DtesnError [ERR_DTESN_EMPTY]: x');
    expect(Object.keys(argumentError('a number', 'leak', null))).toEqual(['code']);
  });

  test.each([
    [undefined, 'undefined'],
    [NaN, 'NaN'],
    [12n, '12'],
    ['x'.repeat(100), `the string "${'x'.repeat(40)}…"`],
    [[1, 2], 'an array of 2'],
    [new Float32Array(3), 'a Float32Array of 3'],
    [new Map(), 'a Map'],
    [{}, 'an object'],
    [Object.create(null), 'an object'],
    [() => 1, 'a function'],
    [Symbol('s'), 'a symbol'],
  ])('a value received is described in words: %s', (value, words) => expect(describe(value)).toBe(words));
});

group('checkOptions', () => {
  const schema = z.object({
    leak: z.number().gt(0).lte(1).default(1).describe('a number in (0, 1]'),
    units: z.int().min(1).describe('a whole number, 1 or more'),
  });

  test('fills defaults', () => expect(checkOptions(schema, { units: 3 }, 'X')).toEqual({ leak: 1, units: 3 }));

  test('a value of the right kind out of range is a RangeError, of another kind a TypeError', () => {
    expect(() => checkOptions(schema, { units: 0 }, 'X')).toThrow(RangeError);
    expect(() => checkOptions(schema, { units: 1.5 }, 'X')).toThrow(RangeError);
    expect(() => checkOptions(schema, { units: '3' }, 'X')).toThrow(TypeError);
    expect(() => checkOptions(schema, { units: NaN }, 'X')).toThrow(TypeError);
    expect(() => checkOptions(schema, {}, 'X')).toThrow(/for units but received undefined/);
  });

  test('an unknown key is an error with the nearest known one, where one is near', () => {
    expect(() => checkOptions(schema, { unit: 1 }, 'X')).toThrow('Unknown option unit of X; did you mean units?');
    expect(() => checkOptions(schema, { colour: 1 }, 'X')).toThrow(/^Unknown option colour of X$/);
  });

  test('what is no object is refused', () => {
    for (const wrong of [null, undefined, 3, 'x', []]) {
      expect(() => checkOptions(schema, wrong, 'X')).toThrow(/Expected an object for the options of X/);
    }
  });
});

group('the codes', () => {
  const root = path.resolve(import.meta.dirname, '..');
  const codesIn = (text: string) => [...new Set(text.match(/ERR_DTESN_[A-Z_]*[A-Z]/g))].sort();
  const files = (folder: string) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|cc|h)$/.test(name) && name !== path.join('errors', 'codes.ts'))
      .map((name) => readFileSync(path.join(root, folder, name), 'utf8'));
  const union = codesIn(readFileSync(path.join(root, 'src/errors/codes.ts'), 'utf8').split('export type')[1]!);

  test('the type DtesnErrorCode has every code of src and native, and no other', () => {
    expect(union.length).toBeGreaterThan(30);
    expect(codesIn([...files('src'), ...files('native')].join('\n'))).toEqual(union);
  });

  test('docs/errors.md has a row for every code, with when it comes and what to do', () => {
    const page = readFileSync(path.join(root, 'docs/errors.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `(ERR_DTESN_\w+)` +\| (.*\S) +\| (.*\S) +\|$/gm)];
    expect(rows.map(([, code]) => code).sort()).toEqual(union);
  });
});

function thrownBy(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
