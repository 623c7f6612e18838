/** Text of others, and load reports of others, taken with care. */
import { expect, test } from 'vitest';
import { orcaLoad } from '../../../src/bridge/engines/orca.js';
import { plainText } from '../../../src/bridge/engines/plain-text.js';

test.each([
  ['<script>', '<script>'],
  ['a\x1b[31mb', 'a\\u{1b}[31mb'],
  ['line\nbreak\r\ttab', 'line\\u{a}break\\u{d}\\u{9}tab'],
  ['turn\u202eed', 'turn\\u{202e}ed'],
  ['\u009b2J', '\\u{9b}2J'],
  ['lone \ud800', 'lone \\u{d800}'],
  ['日本語 é', '日本語 é'],
])('%j is shown as %j', (given, shown) => {
  expect(plainText(given, 256)).toBe(shown);
});

test('a text is cut at its bound, also when escapes make it longer', () => {
  expect(plainText('x'.repeat(256), 256)).toBe('x'.repeat(256));
  expect(plainText('x'.repeat(257), 256)).toBe(`${'x'.repeat(255)}…`);
  expect(plainText('\x1b'.repeat(1e6), 256)).toHaveLength(256);
});

test.each<[string, string | Record<string, unknown>, object | null]>([
  [
    'text',
    'TEXT named_metrics.kv_cache_usage_perc=0.4, named_metrics.num_requests_waiting=3',
    { kvUsage: 0.4, waiting: 3 },
  ],
  ['text without its mark', 'kv_cache_usage_perc=0.4', { kvUsage: 0.4, waiting: null }],
  ['JSON text', 'JSON {"named_metrics": {"num_requests_waiting": 2}}', { waiting: 2, kvUsage: null }],
  ['JSON text without its mark', '{"kv_cache_usage_perc": 1}', { kvUsage: 1 }],
  ['an object', { named_metrics: { kv_cache_usage_perc: 0, num_requests_running: 5 } }, { kvUsage: 0, running: 5 }],
  ['a share over 1', { kv_cache_usage_perc: 40, num_requests_waiting: 1 }, { kvUsage: null, waiting: 1 }],
  ['negative and infinite figures', 'num_requests_waiting=-1, kv_cache_usage_perc=1e999', null],
  ['broken JSON', 'JSON {"a', null],
  ['JSON that is no object', 'JSON [1]', null],
  ['another header', 'hello', null],
  ['nothing', '', null],
])('a load report as %s', (_, said, load) => {
  expect(orcaLoad(said)).toEqual(load === null ? null : expect.objectContaining(load));
});
