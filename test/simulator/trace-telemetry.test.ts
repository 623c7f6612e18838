/** Traces as series. */
import { expect, test } from 'vitest';
import { telemetryOf } from '../../src/simulator/index.js';

const csv = (...rows: string[]) => ['TIMESTAMP,ContextTokens,GeneratedTokens', ...rows].join('\n');

test('the requests of each whole step of UTC are counted, and its tokens', () => {
  const series = telemetryOf(
    csv(
      '2023-11-16 18:00:05.5000000,1000,1',
      '2023-11-16 18:00:10.0000000,100,10',
      '2023-11-16 18:00:19.9990000,300,30',
      '2023-11-16 18:00:35.0000000,50,5',
      '2023-11-16 18:00:41.0000000,1,1',
    ),
  );
  const start = Date.UTC(2023, 10, 16, 18, 0, 10) / 1000;
  expect(series).toEqual({
    time: [start + 10, start + 20, start + 30],
    arrivalsPerSecond: [0.2, 0, 0.1],
    promptTokensPerSecond: [40, 0, 5],
    generationTokensPerSecond: [4, 0, 0.5],
  });
});

test('the milliseconds of a trace of Mooncake count from midnight', () => {
  const line = (timestamp: number) => JSON.stringify({ timestamp, input_length: 30, output_length: 6 });
  const series = telemetryOf([line(0), line(1500), line(2500), line(4000)].join('\n'), { stepSeconds: 2 });
  expect(series).toMatchObject({ time: [2, 4], arrivalsPerSecond: [1, 0.5], promptTokensPerSecond: [30, 15] });
});

test('a trace shorter than a step has no step, and errors name the text', () => {
  expect(telemetryOf(csv('2023-11-16 18:00:05,1000,1')).time).toEqual([]);
  expect(() => telemetryOf('a,b', { name: 'x.csv' })).toThrow(/in line 1 of x.csv/);
  expect(() => telemetryOf(csv('2023-11-16 18:00:05,1,1'), { stepSeconds: 0 })).toThrow(RangeError);
});
