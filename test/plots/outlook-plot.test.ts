/** The picture of a forecast. */
import { expect, test } from 'vitest';
import { outlookPlot } from '../../src/plots/index.js';

const start = Date.UTC(2023, 10, 16, 18, 0, 0) / 1000;
const series = (length: number) => {
  const at = Array.from({ length }, (_, i) => i);
  return {
    timeSeconds: at.map((i) => start + 10 * i),
    outcome: at.map((i) => 5 + Math.sin(i / 9)),
    forecast: at.map((i) => 5 + Math.sin((i - 1) / 9)),
  };
};

/** Points of the path of a colour. */
function points(svg: string, colour: string): [string, number, number][] {
  const path = new RegExp(`<path d="([^"]*)"[^>]*stroke="${colour}"`).exec(svg)![1]!;
  return [...path.matchAll(/([ML])([\d.]+) ([\d.]+)/g)].map(([, pen, x, y]) => [pen!, Number(x), Number(y)]);
}

test('both series span the frame, with the axis of values at zero and times of UTC', () => {
  const svg = outlookPlot({ ...series(100), title: 'a < b & c', label: 'requests/s' });
  expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 360"')).toBe(true);
  expect(svg).toContain('a &lt; b &amp; c');
  expect(svg).toContain('>18:00:00<');
  expect(svg).toContain('>18:16:30 UTC<');
  for (const colour of ['#8a8f98', '#c2410c']) {
    const drawn = points(svg, colour);
    expect(drawn).toHaveLength(100);
    expect(drawn.filter(([pen]) => pen === 'M')).toHaveLength(1);
    expect(drawn[0]![1]).toBe(64);
    expect(drawn.at(-1)![1]).toBe(944);
  }
});

test('the height of a point is its share of the greatest value', () => {
  const svg = outlookPlot({ timeSeconds: [0, 1, 2], outcome: [0, 5, 10], forecast: [10, 10, 10], height: 178 });
  expect(points(svg, '#8a8f98').map(([, , y]) => y)).toEqual([144, 94, 44]);
});

test('more values than pixels are drawn by the extremes of each pixel', () => {
  const { timeSeconds, outcome, forecast } = series(50_000);
  outcome[20_001] = 99;
  const svg = outlookPlot({ timeSeconds, outcome, forecast, width: 300 });
  const drawn = points(svg, '#8a8f98');
  expect(drawn.length).toBeLessThan(4 * 300);
  expect(Math.min(...drawn.map(([, , y]) => y))).toBe(44);
});

test('a value that is not finite leaves a gap, and an empty series only the frame', () => {
  const { timeSeconds, outcome, forecast } = series(20);
  outcome[10] = Number.NaN;
  const drawn = points(outlookPlot({ timeSeconds, outcome, forecast }), '#8a8f98');
  expect(drawn).toHaveLength(19);
  expect(drawn.filter(([pen]) => pen === 'M')).toHaveLength(2);
  expect(outlookPlot({ timeSeconds: [], outcome: [], forecast: [] })).toContain('<path d=""');
});

test('extremes are drawn also where the column of a pixel begins with a value that is not finite', () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const { timeSeconds, outcome, forecast } = series(50_000);
    outcome[0] = bad;
    outcome[5] = 99;
    outcome[7] = -99;
    const heights = points(outlookPlot({ timeSeconds, outcome, forecast, width: 300 }), '#8a8f98').map(([, , y]) => y);
    expect([Math.min(...heights), Math.max(...heights)]).toEqual([44, 326]);
  }
});

test('a time that is not finite is refused', () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const { timeSeconds, ...given } = series(5);
    timeSeconds[2] = bad;
    expect(() => outlookPlot({ timeSeconds, ...given })).toThrow(
      `Expected finite seconds for timeSeconds (element 2) but received ${bad}`,
    );
  }
});

test('series of other lengths and sizes out of range are refused', () => {
  expect(() => outlookPlot({ ...series(5), outcome: [1] })).toThrow('Expected outcome with 5 values but received 1');
  expect(() => outlookPlot({ ...series(5), width: 10 })).toThrow(RangeError);
});
