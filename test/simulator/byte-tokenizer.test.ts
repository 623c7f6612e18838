import { expect, test } from 'vitest';
import { decodeBytes, encodeBytes, VOCABULARY } from '../../src/simulator/index.js';
import fc from '../property/fast-check.js';

test('decoding the tokens of a well-formed text gives the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, special) => {
      expect(decodeBytes(encodeBytes(text, special))).toBe(text);
    }),
  );
});

test('a token is a UTF-8 byte, and a text begins with id 256 when special tokens are asked for', () => {
  expect(encodeBytes('aé', false)).toEqual([0x61, 0xc3, 0xa9]);
  expect(encodeBytes('aé', true)).toEqual([256, 0x61, 0xc3, 0xa9]);
});

test('a byte order mark is kept as text', () => {
  expect(decodeBytes(encodeBytes('\uFEFFx', true))).toBe('\uFEFFx');
});

test('every token id is below the size of the vocabulary', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(encodeBytes(text, true).every((id) => id < VOCABULARY)).toBe(true);
    }),
  );
});
