import { expect, describe as group, test } from 'vitest';
import { z } from 'zod';
import { argumentError, checkOptions, DtesnError, describe, rangeError, shapeError } from '../src/errors/index.js';

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

  test('its stack begins with class and code', () => {
    expect(String(argumentError('a number', 'leak', null))).toMatch(/^TypeError \[ERR_DTESN_ARGUMENT\]: /);
    expect(String(shapeError('x', 1))).toMatch(/^RangeError \[ERR_DTESN_SHAPE\]: /);
    expect(String(new DtesnError('ERR_DTESN_EMPTY', 'x'))).toBe('DtesnError [ERR_DTESN_EMPTY]: x');
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
