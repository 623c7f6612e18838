/** Engines by a file and by a name of the DNS, which change while the bridge runs. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { parseTargets } from '../../../src/bridge/engines/discovery/index.js';
import type { EngineSetOptions } from '../../../src/bridge/engines/index.js';
import { POLL_MS } from '../../../src/bridge/files/index.js';
import { ManualClock } from '../../manual-clock.js';
import { startSet, temporaryFolder } from './engine-under-test.js';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function setOf(options: Partial<EngineSetOptions>) {
  const started = await startSet(options);
  open.push(started.engines);
  return started;
}

const soon = { timeout: 10_000, interval: 10 };
const groups = (...targets: string[]) => JSON.stringify([{ targets, labels: { env: 'test' } }]);

/** Passes the times of polls until it is so: reading a file takes a while that no clock of ours tells. */
const until = (clock: ManualClock, check: () => void) =>
  vi.waitFor(async () => {
    await clock.pass(POLL_MS);
    check();
  }, soon);

describe('a file of engines', () => {
  test.each([
    ['host and port', '[{"targets": ["10.0.0.1:8000"]}]', [{ url: 'http://10.0.0.1:8000' }]],
    ['a scheme by its label', '[{"targets": ["h:1"], "labels": {"__scheme__": "https"}}]', [{ url: 'https://h:1' }]],
    ['addresses', '[{"targets": ["https://h:1", "unix:/s"]}]', [{ url: 'https://h:1' }, { url: 'unix:/s' }]],
    [
      'a name of a lone target',
      '[{"targets": ["h:1"], "labels": {"name": "n", "kind": "vllm"}}]',
      [{ url: 'http://h:1', name: 'n', kind: 'vllm' }],
    ],
    [
      'a name for several targets, which is none',
      '[{"targets": ["h:1", "i:1"], "labels": {"name": "n"}}]',
      [{ url: 'http://h:1' }, { url: 'http://i:1' }],
    ],
    ['no target', '[]', []],
  ])('may have %s', (_, text, targets) => {
    expect(parseTargets(text)).toEqual(targets);
  });

  test.each(['{}', '[{"targets": "h:1"}]', '[{"targets": [7]}]', '[', '[{"targets": ["h:1"], "labels": {"a": 1}}]'])(
    'is refused: %s',
    (text) => {
      expect(() => parseTargets(text)).toThrow();
    },
  );

  test('is read again when it changes, and engines that it still names keep their history', async () => {
    const file = path.join(temporaryFolder(open), 'engines.json');
    writeFileSync(file, groups('127.0.0.1:1', '127.0.0.1:2'));
    const { engines, told, types } = await setOf({ enginesFile: file });
    expect(engines.names).toEqual(['http://127.0.0.1:1', 'http://127.0.0.1:2']);
    await engines.observed();
    const { time } = engines.history('http://127.0.0.1:2');
    writeFileSync(file, groups('127.0.0.1:2', '127.0.0.1:3'));
    await vi.waitFor(() => expect(engines.names).toEqual(['http://127.0.0.1:2', 'http://127.0.0.1:3']), soon);
    expect(engines.history('http://127.0.0.1:2').time.slice(0, time.length)).toEqual(time);
    expect(types('http://127.0.0.1:1').at(-1)).toBe('removed');
    expect(told.filter(({ type }) => type === 'added')).toHaveLength(3);
  });

  test('is read again when a symlink on the way to it is swapped, as Kubernetes does', async () => {
    const folder = temporaryFolder(open);
    for (const [version, port] of [
      ['v1', 1],
      ['v2', 2],
    ] as const) {
      mkdirSync(path.join(folder, version));
      writeFileSync(path.join(folder, version, 'engines.json'), groups(`127.0.0.1:${port}`));
    }
    symlinkSync('v1', path.join(folder, '..data'));
    symlinkSync(path.join('..data', 'engines.json'), path.join(folder, 'engines.json'));
    const { engines } = await setOf({ enginesFile: path.join(folder, 'engines.json') });
    expect(engines.names).toEqual(['http://127.0.0.1:1']);
    symlinkSync('v2', path.join(folder, '..next'));
    renameSync(path.join(folder, '..next'), path.join(folder, '..data'));
    await vi.waitFor(() => expect(engines.names).toEqual(['http://127.0.0.1:2']), soon);
  });

  test('that is wrong or gone leaves the engines as they are, is logged once and counted', async () => {
    const clock = new ManualClock(() => new Promise((resolve) => setTimeout(resolve, 20)));
    const file = path.join(temporaryFolder(open), 'engines.json');
    writeFileSync(file, groups('127.0.0.1:1'));
    const { engines, lines, metrics } = await setOf({ enginesFile: file, clock, monitor: { intervalMs: 600_000 } });
    const failures = () => lines.filter(({ message }) => message.startsWith('engines could not be read')).length;
    const bad = ['[{"targets": canary', groups('127.0.0.1:2', 'ftp://h'), groups('http://user:canary@h:1'), '', '{}'];
    for (const [i, text] of bad.entries()) {
      writeFileSync(file, text);
      await until(clock, () => expect(failures()).toBe(i + 1));
      await clock.pass(2 * POLL_MS);
      expect(failures()).toBe(i + 1);
      expect(engines.names).toEqual(['http://127.0.0.1:1']);
    }
    rmSync(file);
    await until(clock, () => expect(failures()).toBe(bad.length + 1));
    await clock.pass(2 * POLL_MS);
    expect(JSON.stringify(lines)).not.toContain('canary');
    expect(metrics.text()).toContain(`dtesn_engine_discovery_errors_total{reason="file"} ${bad.length + 1}`);
    writeFileSync(file, groups('127.0.0.1:2'));
    await until(clock, () => expect(engines.names).toEqual(['http://127.0.0.1:2']));
  });

  test('whose file system hangs delays neither the start nor the end', async () => {
    const file = path.join(temporaryFolder(open), 'engines.json');
    expect(spawnSync('mkfifo', [file]).status).toBe(0); // opening it waits for a writer, as a dead server of files does
    const clock = new ManualClock(() => new Promise((resolve) => setTimeout(resolve, 20)));
    const starting = startSet({ enginesFile: file, clock });
    await clock.pass(2000);
    const { engines, lines, metrics } = await starting;
    expect(engines.names).toEqual([]);
    expect(lines.map(({ fields }) => fields['reason'])).toContain('it could not be read in 2000 ms');
    expect(metrics.text()).toContain('dtesn_engine_discovery_errors_total{reason="file"} 1');
    await clock.pass(10 * POLL_MS);
    await engines.close();
    closeSync(openSync(file, 'w')); // frees the thread that waits
  });

  test('may come later than the bridge, which starts without an engine and without the simulation', async () => {
    const clock = new ManualClock(() => new Promise((resolve) => setTimeout(resolve, 20)));
    const file = path.join(temporaryFolder(open), 'later', 'engines.json');
    const { engines } = await setOf({ enginesFile: file, clock, monitor: { intervalMs: 600_000 } });
    expect(engines.names).toEqual([]);
    expect(engines.simulated).toBe(false);
    expect(() => engines.requests.pick()).toThrow(
      expect.objectContaining({ code: 'no_engine', message: 'No engine can serve: none is known' }),
    );
    mkdirSync(path.dirname(file));
    writeFileSync(file, groups('127.0.0.1:1'));
    await until(clock, () => expect(engines.names).toEqual(['http://127.0.0.1:1']));
  });
});

describe('a name of the DNS', () => {
  async function named(first: string[]) {
    const clock = new ManualClock();
    const answer = { addresses: first, code: '' };
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      if (answer.code !== '') throw Object.assign(new Error(answer.code), { code: answer.code });
      return answer.addresses;
    };
    const started = await setOf({
      engines: ['dns+http://vllm.svc:8000/root'],
      clock,
      resolve,
      monitor: { intervalMs: 600_000, timeoutMs: 600_000 },
    });
    await clock.pass(0);
    return { clock, answer, asked, ...started };
  }

  test('is one engine an address, also of IPv6, and is resolved again every 30 s', async () => {
    const { engines, clock, answer, asked, types } = await named(['127.0.0.2', '::1']);
    expect(engines.names).toEqual(['http://127.0.0.2:8000/root', 'http://[::1]:8000/root']);
    answer.addresses = ['127.0.0.3', '127.0.0.2', '127.0.0.2'];
    await clock.pass(29_999);
    expect(asked).toEqual(['vllm.svc']);
    await clock.pass(1);
    await clock.pass(0);
    expect(engines.names).toEqual(['http://127.0.0.2:8000/root', 'http://127.0.0.3:8000/root']);
    expect(types('http://[::1]:8000/root').at(-1)).toBe('removed');
    expect(types('http://127.0.0.2:8000/root')).not.toContain('removed');
  });

  test('that does not exist any more keeps its last addresses for five minutes', async () => {
    const { engines, clock, answer, metrics, lines } = await named(['127.0.0.2']);
    answer.code = 'ENOTFOUND';
    await clock.pass(30_000);
    await clock.pass(299_999);
    expect(engines.names).toHaveLength(1);
    await clock.pass(30_000);
    await clock.pass(0);
    expect(engines.names).toEqual([]);
    expect(metrics.text()).toContain('dtesn_engine_discovery_errors_total{reason="dns"} 1');
    expect(lines.filter(({ message }) => message.startsWith('engines could not be read'))).toHaveLength(1);
    Object.assign(answer, { code: '', addresses: ['127.0.0.4'] });
    await clock.pass(30_000);
    await clock.pass(0);
    expect(engines.names).toEqual(['http://127.0.0.4:8000/root']);
  });

  test('keeps its addresses as long as the name server does not answer', async () => {
    const { engines, clock, answer } = await named(['127.0.0.2']);
    answer.code = 'ESERVFAIL';
    await clock.pass(3_600_000);
    expect(engines.names).toHaveLength(1);
  });

  test('is followed once', async () => {
    const { engines } = await named(['127.0.0.2']);
    await expect(engines.add('dns+http://vllm.svc:8000/root')).rejects.toThrow(/not followed yet/);
  });
});
