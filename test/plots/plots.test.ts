import { inflateSync } from 'node:zlib';
import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import {
  plotConfusion,
  plotForecast,
  plotMembranes,
  plotSearch,
  plotSpectrum,
  plotStates,
} from '../../src/plots/index.js';
import { pngUrl } from '../../src/plots/png.js';
import { welch } from '../../src/plots/spectrum-plot.js';
import { RandomNumbers } from '../../src/random/index.js';
import { confusion } from '../../src/scores/index.js';
import { membraneTree } from '../../src/trees/index.js';

const wave = (steps: number, shift = 0) =>
  Array.from({ length: steps }, (_, t) => [Math.sin((t + shift) / 5), Math.cos((t + shift) / 5)]);

/** The texts, and how many elements a selector finds. */
function read(svg: string) {
  const { document } = parseHTML(svg);
  return {
    texts: [...document.querySelectorAll('text')].map((one) => one.textContent),
    count: (selector: string) => document.querySelectorAll(selector).length,
  };
}

test('every plot is one SVG with its title, a background and colours of both schemes', async () => {
  const pictures = await Promise.all([
    plotForecast(null, wave(50), { title: 'A < B & "C"' }),
    plotStates(wave(50), { title: 'A < B & "C"' }),
    plotSpectrum({ one: wave(500) }, { title: 'A < B & "C"' }),
    plotConfusion(confusion(['a', 'b'], ['a', 'a']), { title: 'A < B & "C"' }),
    plotSearch(
      [
        { candidate: { leak: 1 }, score: 1 },
        { candidate: { leak: 2 }, score: 2 },
      ],
      { title: 'A < B & "C"' },
    ),
    plotMembranes(membraneTree(3), { title: 'A < B & "C"' }),
  ]);
  for (const svg of pictures) {
    expect(svg).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^>]* viewBox="0 0 [\d.]+ [\d.]+">.*<\/svg>\n$/s,
    );
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg).toContain('A &lt; B &amp; &quot;C&quot;</text>');
    expect(svg).not.toMatch(/NaN|undefined/);
    const open = svg.match(/<(svg|g|text|style|title)\b[^>]*(?<!\/)>/g)?.length;
    expect(svg.match(/<\/(svg|g|text|style|title)>/g)).toHaveLength(open!);
  }
});

describe('a forecast', () => {
  test('shows a panel a column, the past, the intervals, and where it stops being right', async () => {
    const targets = wave(80);
    const forecast = wave(60, 0.5);
    const ends = (by: number) => forecast.map((row) => row.map((x) => x + by));
    const svg = await plotForecast(targets, forecast, {
      ...{ past: wave(30, -30), lower: ends(-0.2), upper: ends(0.2), names: ['x (V)', 'y (A)'] },
      ...{ timeLabel: 'time (s)', dt: 0.1, validTime: 3 },
    });
    const { texts, count } = read(svg);
    expect(texts).toEqual(
      expect.arrayContaining([
        'measured',
        'forecast',
        'prediction interval',
        'end of the valid time',
        'x (V)',
        'y (A)',
        'time (s)',
      ]),
    );
    expect(count('g[aria-label="area"] path')).toBe(2);
    expect(count('g[aria-label="line"] path')).toBe(4);
  });

  test('refuses series that do not fit', async () => {
    await expect(plotForecast([[1], [2]], wave(3))).rejects.toThrow('targets with 2 columns (as forecast)');
    await expect(plotForecast(null, wave(3), { columns: [2] })).rejects.toThrow('columns below 2');
    await expect(plotForecast(null, wave(3), { lower: wave(3) })).rejects.toThrow(
      'both ends of the intervals for upper',
    );
    await expect(plotForecast(null, wave(3), { titel: 'x' } as object)).rejects.toThrow('did you mean title?');
  });
});

test('states are lines of a few columns and a map of many', async () => {
  expect(read(await plotStates(wave(50))).count('g[aria-label="line"] path')).toBe(2);
  const many = Array.from({ length: 40 }, (_, t) => Array.from({ length: 30 }, (_, i) => Math.sin(t + i)));
  const { count, texts } = read(await plotStates(many, { columnLabel: 'site', valueLabel: 'u (m/s)' }));
  expect(count('image')).toBe(1);
  expect(texts).toEqual(expect.arrayContaining(['site', 'u (m/s) -1.0', '1.0']));
});

test('a PNG has the pixels that were asked for', () => {
  const url = pngUrl(2, 3, (x, y) => [10 * x, 20 * y, 255]);
  const file = Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
  expect([file.readUInt32BE(16), file.readUInt32BE(20)]).toEqual([2, 3]);
  const size = file.readUInt32BE(33);
  expect(file.subarray(37, 41).toString()).toBe('IDAT');
  expect([...inflateSync(file.subarray(41, 41 + size))]).toEqual(
    [0, 1, 2].flatMap((y) => [0, 0, 20 * y, 255, 10, 20 * y, 255]),
  );
});

describe('a spectrum', () => {
  // Parseval: the power over all frequencies is the variance.
  test('holds the variance of the series, at its frequency', () => {
    const [dt, frequency] = [0.1, 1.25];
    const data = Float64Array.from({ length: 4096 }, (_, t) => 3 * Math.sin(2 * Math.PI * frequency * dt * t));
    const spectrum = welch({ rows: 4096, cols: 1, data }, 0, 512, dt);
    const total = spectrum.reduce((sum, { power }) => sum + power / (512 * dt), 0);
    expect(total).toBeCloseTo(4.5, 2);
    const peak = spectrum.reduce((most, point) => (point.power > most.power ? point : most));
    expect(peak.frequency).toBeCloseTo(frequency, 10);
  });

  test('of white noise is flat', () => {
    const random = new RandomNumbers(1, 'dataset');
    const data = Float64Array.from({ length: 65_536 }, () => random.normal());
    const spectrum = welch({ rows: data.length, cols: 1, data }, 0, 64, 1);
    for (const { power } of spectrum.slice(1, -1)) expect(Math.abs(power / 2 - 1)).toBeLessThan(0.15);
  });

  test('refuses what it cannot show', async () => {
    await expect(plotSpectrum({})).rejects.toThrow('one to 5 series');
    await expect(plotSpectrum({ a: [1, 2, 3] })).rejects.toThrow('at least 8 rows (segment) for a');
    await expect(plotSpectrum({ a: wave(100) }, { segment: 100 })).rejects.toThrow('a power of two, 8 or more');
  });
});

test('a confusion matrix shows the counts that are not 0', async () => {
  const { texts, count } = read(await plotConfusion(confusion([0, 0, 1, 2], [0, 1, 1, 2]), { names: ['a', 'b', 'c'] }));
  expect(texts.filter((text) => text === '1')).toHaveLength(4);
  expect(texts).toEqual(expect.arrayContaining(['predicted', 'class', 'a', 'b', 'c', 'right', 'wrong']));
  expect(count('g[aria-label="cell"] rect')).toBe(18);
});

test('a search shows a panel for each parameter that differs, and leaves failed candidates out', async () => {
  const table = [
    { candidate: { leak: 0.5, ridge: 1e-8, kind: 'a', same: 1 }, score: 0.5 },
    { candidate: { leak: 0.6, ridge: 1e-2, kind: 'b', same: 1 }, score: 0.25 },
    { candidate: { leak: 0.7, ridge: 1e-4, kind: 'b', same: 1 }, score: null },
  ];
  const { texts, count } = read(await plotSearch(table, { scoreLabel: 'NRMSE' }));
  expect(texts).toEqual(expect.arrayContaining(['leak', 'ridge', 'kind', 'NRMSE', 'best: 0.250', '1e-8']));
  expect(texts).not.toContain('same');
  expect(count('g[aria-label="dot"] circle')).toBe(3 * (2 + 1));
  await expect(plotSearch([{ candidate: { leak: 1 }, score: null }])).rejects.toThrow(
    'at least one candidate with a score',
  );
});

test('membranes stand in a row a level, each parent over its children', async () => {
  const membranes = membraneTree(4);
  const { texts, count } = read(await plotMembranes(membranes, { activity: membranes.map((_, i) => i) }));
  expect(count('circle[stroke]')).toBe(8 + 1);
  expect(count('path')).toBe(7);
  expect(texts).toEqual(
    expect.arrayContaining(['level 1: 1', 'level 2: 1', 'level 3: 2', 'level 4: 4', 'activity up to 7.00']),
  );
  const labelled = await plotMembranes(membranes, { activity: membranes.map(() => 1), activityLabel: 'a & <b>' });
  expect(labelled).toContain('a &amp; &lt;b&gt; 1.00</title>');
  expect(labelled).not.toMatch(/a & |<b>/);
  await expect(plotMembranes(membranes, { activity: [1] })).rejects.toThrow('activity with 8 elements (membranes)');
});
