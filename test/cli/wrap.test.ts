import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cut, fitted, widthOf } from '../../src/cli/wrap.js';

const red = (text: string) => `\u001b[31m${text}\u001b[39m`;
const words = fc.array(
  fc.oneof(fc.string({ maxLength: 30 }), fc.constantFrom('日本語', '🌲🌲', 'e\u0301', red('stop'))),
);

test('the width of a text counts columns: two for wide characters, none for colours and combining marks', () => {
  expect([widthOf('abc'), widthOf('日本'), widthOf('🌲'), widthOf('e\u0301'), widthOf(red('stop'))]).toEqual([
    3, 4, 2, 1, 4,
  ]);
});

test('a line breaks at spaces, and goes on indented', () => {
  expect(fitted('  one two three four', 12)).toBe('  one two\n   three\n   four');
  expect(fitted('abcdefghij', 4)).toBe('abcd\n efg\n hij');
  expect(fitted(`${red('a b')} c`, 3)).toBe(`${red('a b')}\nc`);
});

test('no line of any text is wider than the columns, and no word is lost', () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 2, max: 60 }), (parts, columns) => {
      const text = parts.join(' ').replaceAll(/[\r\n]/g, '');
      const lines = fitted(text, columns);
      for (const line of lines.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(columns);
      expect(lines.replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''));
    }),
  );
});

test('where there are no columns nothing is broken', () => {
  const long = 'word '.repeat(1000);
  expect(fitted(long, Number.POSITIVE_INFINITY)).toBe(long);
});

test('a line is cut to its columns with an ellipsis', () => {
  expect(cut('abcdef', 6)).toBe('abcdef');
  expect(cut('abcdefg', 6)).toBe('abcde…');
  expect(widthOf(cut('日本語日本語', 6))).toBeLessThanOrEqual(6);
});
