// Our parser beside two that know nothing of it: promtool (Debian: prometheus) and Python's prometheus_client (Debian:
// python3-prometheus-client), on a thousand bodies of one seed and on every known disagreement.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parsePrometheus, type Sample } from '../../src/engine/index.js';
import { DtesnError } from '../../src/errors/index.js';
import { bodies } from './bodies.js';
import { disagreements, strictest } from './disagreements.js';
import { inLanes, noPromtool, noPython, type PythonSample, promtoolTakes, pythonNumber, pythonReads } from './tools.js';

const SEED = 20261123;

/** The samples in the order of the body's families, or the error. */
function weRead(body: Buffer): { samples: Sample[]; refused: string | null } {
  try {
    return { samples: [...parsePrometheus(body).values()].flatMap(({ samples }) => samples), refused: null };
  } catch (error) {
    if (!(error instanceof DtesnError)) throw error;
    return { samples: [], refused: error.message };
  }
}

/** One text a sample that is the same exactly when name, labels, value and time are. */
function ours({ name, labels, value, timestamp }: Sample): string {
  return canonical(name, labels, value, timestamp);
}

function pythons([name, labels, value, seconds]: PythonSample): string {
  return canonical(name, labels, pythonNumber(value), seconds === null ? null : Math.round(seconds * 1000));
}

function canonical(name: string, labels: Readonly<Record<string, string>>, value: number, time: number | null): string {
  const number = Object.is(value, -0) ? '-0' : String(value);
  return JSON.stringify([name, Object.entries(labels).sort(), number, time]);
}

test.skipIf(noPromtool)(
  'of a thousand bodies parsePrometheus accepts what promtool accepts, except the listed cases (skipped: no promtool)',
  { timeout: 300_000, tags: ['slow'] },
  async () => {
    const drawn = bodies(SEED);
    const verdicts = await inLanes(drawn, 2, promtoolTakes);
    const wrong = drawn.flatMap((body, i) => {
      const { refused } = weRead(body);
      const agreed = (refused === null) === verdicts[i] || (refused !== null && strictest.test(refused));
      return agreed ? [] : [{ body: body.toString(), promtool: verdicts[i], refused }];
    });
    expect(wrong).toEqual([]);
    expect(verdicts.filter((taken) => !taken).length).toBeGreaterThan(100);
  },
);

test.skipIf(noPython)(
  'every value that parsePrometheus reads equals that of prometheus_client (skipped: no python3-prometheus-client)',
  { tags: ['slow'] },
  () => {
    const drawn = bodies(SEED);
    const answers = pythonReads(drawn);
    let compared = 0;
    for (const [i, body] of drawn.entries()) {
      const { samples, refused } = weRead(body);
      if (refused !== null) continue;
      expect(answers[i], body.toString()).not.toBeNull();
      expect(samples.map(ours).sort(), body.toString()).toEqual(answers[i]!.map(pythons).sort());
      compared += samples.length;
    }
    expect(compared).toBeGreaterThan(3000);
  },
);

test.skipIf(noPromtool)(
  'promtool differs from parsePrometheus in the listed cases (skipped: no promtool)',
  { tags: ['slow'] },
  async () => {
    const verdicts = await inLanes(disagreements, 2, ({ body }) => promtoolTakes(Buffer.from(body)));
    expect(disagreements.map(({ what }, i) => [what, verdicts[i]])).toEqual(
      disagreements.map(({ what, promtool }) => [what, promtool]),
    );
  },
);

test.skipIf(noPython)(
  'prometheus_client differs from parsePrometheus in the listed cases (skipped: no python3-prometheus-client)',
  { tags: ['slow'] },
  () => {
    const answers = pythonReads(disagreements.map(({ body }) => Buffer.from(body)));
    expect(disagreements.map(({ what }, i) => [what, answers[i] !== null])).toEqual(
      disagreements.map(({ what, python }) => [what, python]),
    );
  },
);

test('parsePrometheus treats the listed cases as the table states', () => {
  const verdicts = disagreements.map(({ what, body }) => [what, weRead(Buffer.from(body)).refused === null]);
  expect(verdicts).toEqual(disagreements.map(({ what, ours }) => [what, ours]));
});

test('docs/metrics.md contains the table of listed cases', () => {
  const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/metrics.md'), 'utf8');
  const word = (taken: boolean) => (taken ? 'takes' : 'refuses');
  const rows = [...page.matchAll(/^\| (.+?) +\| (takes|refuses) +\| (takes|refuses) +\| (takes|refuses) +\|/gm)];
  expect(rows.map((row) => row.slice(1))).toEqual(
    disagreements.map(({ what, promtool, python, ours }) => [what, word(promtool), word(python), word(ours)]),
  );
});
