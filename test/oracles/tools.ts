/** The independent parsers, where this machine has them: Debian's packages prometheus and python3-prometheus-client. */
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const noPromtool = spawnSync('promtool', ['--version']).status !== 0;
export const noPrometheus = spawnSync('prometheus', ['--version']).status !== 0;

/** Debian's Python has the package where another that stands first in PATH may not. */
const python = ['/usr/bin/python3', 'python3'].find(
  (command) => spawnSync(command, ['-c', 'import prometheus_client']).status === 0,
);
export const noPython = python === undefined;

/** Whether `promtool check metrics` parses a body; that it finds its style wanting is no matter. */
export function promtoolTakes(body: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = execFile('promtool', ['check', 'metrics'], (_, __, stderr) => {
      const refused = /error while linting: (.*)/.exec(stderr);
      if (refused && !/text format parsing error/.test(refused[1]!)) reject(new Error(stderr));
      else resolve(refused === null);
    });
    child.stdin?.on('error', () => {}); // it may stop reading where it found the error
    child.stdin?.end(body);
  });
}

/** One after the other in each of a few lanes, so that the machine is not flooded with processes. */
export async function inLanes<T, R>(items: readonly T[], lanes: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i]!);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

/** [name, labels, value as Python writes it, timestamp in seconds] */
export type PythonSample = [string, Record<string, string>, string, number | null];

/** What prometheus_client reads from each body: its samples, or null where it refuses it. */
export function pythonReads(bodies: readonly Buffer[]): (PythonSample[] | null)[] {
  const script = fileURLToPath(new URL('./read-metrics.py', import.meta.url));
  const input = JSON.stringify(bodies.map((body) => body.toString('base64')));
  const { stdout, stderr, status } = spawnSync(python!, [script], { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** A number as Python's repr writes it. */
export function pythonNumber(text: string): number {
  const special: Record<string, number> = {
    nan: Number.NaN,
    inf: Number.POSITIVE_INFINITY,
    '-inf': Number.NEGATIVE_INFINITY,
  };
  return special[text] ?? Number(text);
}
