/** Every row of the table of names in docs/migration.md: the old name works, warns once and names the new one. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { diagnose } from '../../src/cli/doctor.js';
import {
  configSchema,
  DtesnProcessor,
  type DtesnResult,
  deriveRates,
  dtesnResultSchema,
  EngineSimulator,
  engineMetrics,
  parsePrometheus,
  SourceFetcher,
} from '../../src/index.js';
import { EngineStateTracker } from '../../src/monitor/index.js';
import { createConfig } from '../../src/processor/index.js';

const root = path.resolve(import.meta.dirname, '../..');
const page = readFileSync(path.join(root, 'docs/migration.md'), 'utf8');

interface Row {
  where: string;
  old: string;
  now: string;
  state: string;
}

const [, table = ''] = /^\| where .*\n\|[- |]+\|\n((?:\|.*\n)+)/m.exec(page) ?? [];
const rows: Row[] = table
  .trim()
  .split('\n')
  .map((line) => {
    const [where = '', old = '', now = '', state = ''] = line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
    return { where, old: old.replaceAll('`', ''), now: now.replaceAll('`', ''), state };
  });
const rowsThatAre = (state: string) => rows.filter((row) => row.state === state);

/** A value of each option by its name now, and one that is refused. */
const values: Record<string, [good: unknown, wrong: unknown]> = {
  depth: [2, 0],
  units: [16, 0],
  inputs: [3, 0],
  bseriesOrder: [2, 11],
  caching: [false, 2],
  sourceDeadlineMs: [777, 0],
  DTESN_DEPTH: ['2', '0'],
  DTESN_UNITS: ['16', '0'],
  DTESN_INPUTS: ['3', '0'],
  DTESN_BSERIES_ORDER: ['2', '11'],
  DTESN_CACHING: ['false', '2'],
  timeoutsMs: [{ tokenizer: 7 }, { tokenizer: -1 }],
  catchUpSeconds: [5, -1],
  warmUpSeconds: [3, -1],
  startSeconds: [1e9, -1],
  atSeconds: [2, -1],
  durationSeconds: [4, -1],
  timeSeconds: [60, Number.NaN],
};

const scraped = ['a', 'b'].map((reason) =>
  parsePrometheus(
    `# TYPE vllm:request_success_total counter\nvllm:request_success_total{finished_reason="${reason}"} 1\n`,
  ),
);
const rates = () => deriveRates({ metrics: scraped[0]!, timeSeconds: 0 }, { metrics: scraped[1]!, timeSeconds: 1 });

let simulator: EngineSimulator;
let processor: DtesnProcessor;
let result: DtesnResult;
let context: object;
beforeAll(async () => {
  simulator = await EngineSimulator.start({ speed: 0, load: 0.1 });
  const config = { depth: 2, units: 16, inputs: 3, bseriesOrder: 2, sourceDeadlineMs: 20_000 };
  processor = await DtesnProcessor.create({ engine: null, config });
  result = await processor.process('a text');
  context = await processor.fetchComprehensiveEngineContext();
});
afterAll(async () => {
  await Promise.all([processor.close(), simulator.close()]);
});

let warned: { code: string; message: string }[] = [];
beforeEach(() => {
  warned = [];
  const spy = vi.spyOn(process, 'emitWarning').mockImplementation(((message: string, options: { code: string }) => {
    warned.push({ code: options.code, message });
  }) as never);
  return () => spy.mockRestore();
});

/** Uses options, and returns what they came to. */
const accept: Record<string, (given: Record<string, unknown>) => unknown> = {
  DtesnConfig: (given) => JSON.stringify(createConfig(given, {})),
  environment: (given) => JSON.stringify(createConfig({}, given as NodeJS.ProcessEnv)),
  SourceFetcher: (given) => new SourceFetcher(null, given).close(),
  EngineSimulator: async (given) => {
    const started = await EngineSimulator.start({ speed: 0, load: 0.1, ...given });
    const { time } = started;
    await started.close();
    return time;
  },
  'a fault': (given) => simulator.inject({ kind: 'hang', ...given }),
  'a scrape': (given) => {
    const metrics = scraped[0]!;
    return deriveRates({ metrics, timeSeconds: 0 }, { metrics, ...given } as never).seconds;
  },
};

const readable: Record<string, () => object> = {
  'processor.config': () => processor.config,
  'a result': () => result,
  'features of a result': () => result.features,
  'model of a result': () => result.model,
  'bseries of a result': () => result.bseries,
  'an engine context': () => context,
  'an engine state': () => new EngineStateTracker(1).state,
  'engine metrics': () => engineMetrics(scraped[0]!),
  rates,
};

function expectWarning({ old, now }: Row): void {
  expect(warned).toEqual([{ code: 'DTESN_DEPRECATED', message: expect.stringMatching(`^${old} of .*; use ${now}$`) }]);
}

describe('names that are accepted', () => {
  test.each(rowsThatAre('accepted'))('$where: $old does what $now does, with one warning', async (row) => {
    const { where, old, now } = row;
    const [good, wrong] = values[now]!;
    const use = accept[where]!;
    const came = await use({ [old]: good });
    expectWarning(row);
    expect(came).toEqual(await use({ [now]: good }));
    expect(await use({ [old]: good, [now]: good })).toEqual(came);
    expect(warned.length).toBe(1);
    await expect((async () => use({ [old]: wrong }))()).rejects.toThrow(where === 'environment' ? /received/ : now);
    const both = (async () => use({ [old]: good, [now]: wrong }))();
    await expect(both).rejects.toThrow(new RegExp(`for ${now} of .* received ${now} .* and ${old} .* 0\\.1`));
    await expect(both).rejects.toMatchObject({
      name: expect.stringMatching(/^RangeError/),
      code: 'ERR_DTESN_ARGUMENT',
    });
  });
});

describe('names that are readable', () => {
  test.each(rowsThatAre('readable'))('$where: $old reads $now, with one warning, and JSON lacks it', (row) => {
    const { where, old, now } = row;
    const object = readable[where]!() as Record<string, unknown>;
    expect(object[now]).toBeDefined();
    expect(object[old]).toBe(object[now]);
    expectWarning(row);
    expect(object[old]).toBe(object[now]);
    expect(warned.length).toBe(1);
    expect(Object.keys(JSON.parse(JSON.stringify(object)))).not.toContain(old);
    expect({ ...object }).not.toHaveProperty(old);
  });
});

describe('names that are gone', () => {
  test.each(rowsThatAre('gone'))('$where has $now and not $old', ({ old, now }) => {
    const diagnosis = diagnose();
    expect(diagnosis).toHaveProperty(now);
    expect(diagnosis).not.toHaveProperty(old);
  });
});

describe('the table', () => {
  test('says of every name whether it is accepted, readable or gone', () => {
    expect(rows.length).toBeGreaterThan(30);
    for (const { old, state } of rows) expect(['accepted', 'readable', 'gone'], old).toContain(state);
  });

  test('has every name that the sources mark as deprecated', () => {
    const listed = new Set(rows.map(({ old, now }) => `${old} -> ${now}`));
    const marked = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => [
        ...readFileSync(path.join(root, 'src', file), 'utf8').matchAll(
          /@deprecated Use `(\w+)`\.\s*\*\/\s*(?:readonly )?(\w+)\??:/g,
        ),
      ])
      .map(([, now, old]) => `${old} -> ${now}`);
    expect(marked.length).toBeGreaterThan(20);
    for (const name of marked) expect(listed, name).toContain(name);
  });
});

test('the schemas take and show the names of now alone, but configSchema takes those of 0.1 too', () => {
  expect(configSchema.parse({ esn_reservoir_size: 16 })).toMatchObject({ units: 16 });
  expect(configSchema.safeParse({ esn_reservoir_size: 16, units: 17 }).success).toBe(false);
  const shown = JSON.stringify([configSchema.toJSONSchema(), dtesnResultSchema.toJSONSchema()]);
  for (const { where, old } of rowsThatAre('readable').filter((row) => / result$|config$/.test(row.where))) {
    expect(shown, where).not.toContain(`"${old}":{"type":"number"`);
  }
  expect(JSON.stringify(dtesnResultSchema.toJSONSchema())).toContain('"endState"');
});
