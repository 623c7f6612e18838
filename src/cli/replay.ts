/**
 * `dtesn replay TRACE`: closed loops over simulated engines, one for each rule, as a table.
 *
 * Exit codes: 0 done, 1 failed (a file, a trace that is wrong), 2 wrong usage, 130 ended by Ctrl-C.
 */
import { type ClosedLoopPolicy, type ClosedLoopResult, closedLoop } from '../outlook/index.js';
import { argumentsOf } from './arguments.js';
import { replayPolicies } from './commands.js';
import { printJson, printPage } from './output.js';
import { ProgressLine } from './progress.js';
import { UsageError } from './usage-error.js';

const defaults = { load: '0.7', seed: '0', engines: '1', slo: '2000', slowdown: '1', visible: '1' };

export async function replay(args: string[]): Promise<number> {
  const { values: given, positionals } = argumentsOf('replay', args);
  const values = { ...defaults, ...given };
  const [trace] = positionals;
  if (trace === undefined) throw wrong('Expected a TRACE: a file, or mmpp');
  const engines = enginesOf(values.engines);
  const names = given.policy ?? (engines.length > 1 ? ['none', 'pick'] : ['none', 'admit', 'oracle']);
  const rules = names.map((name) => ({ name, policy: policyOf(name) }));
  const options = {
    trace,
    engines,
    load: numberOf('load', values.load),
    seed: numberOf('seed', values.seed),
    sloMs: numberOf('slo', values.slo),
    slowdown: numberOf('slowdown', values.slowdown),
    visible: numberOf('visible', values.visible),
  };
  const progress = new ProgressLine();
  const results: ({ policy: string } & ClosedLoopResult)[] = [];
  try {
    for (const { name, policy } of rules) {
      const onProgress = ({ done, total }: { done: number; total: number }) =>
        progress.show({ stage: `replay with ${name}`, done, total });
      results.push({ policy: name, ...(await closedLoop({ ...options, policy: policy(), onProgress })) });
    }
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    throw code === 'ERR_DTESN_ARGUMENT' ? wrong(message, error) : error;
  } finally {
    progress.end();
  }
  if (values.json) printJson({ ...options, results });
  else printPage(page(results));
  return 0;
}

/** A rule by its name; a new one for each run, as some count. */
function policyOf(name: string): () => ClosedLoopPolicy {
  const [word, limit] = name.split('=') as [string, string | undefined];
  const most = limit === undefined ? Number.NaN : Number(limit);
  const named: Record<string, () => ClosedLoopPolicy> = {
    none: () => ({}),
    admit: () => ({ admit: true }),
    oracle: () => ({ admit: 'oracle' }),
    pick: () => ({ pick: true }),
    both: () => ({ admit: true, pick: true }),
    'least-in-flight': () => ({
      pick: (_, open) => open.reduce((a, b) => (b.inFlight < a.inFlight ? b : a)).index,
    }),
    queue: () => ({
      admit: (_, [engine]) => (engine!.figures?.waiting ?? 0) + engine!.sentRequests < most,
    }),
    tokens: () => ({ admit: ({ promptTokens }, [engine]) => engine!.waitingTokens + promptTokens <= most }),
  };
  const hasLimit = word === 'queue' || word === 'tokens';
  const fits = Object.hasOwn(named, word) && (hasLimit ? Number.isInteger(most) && most >= 0 : limit === undefined);
  if (!fits) throw wrong(`Expected ${replayPolicies.join(', ')} for --policy but received ${name}`);
  return named[word]!;
}

function enginesOf(text: string): { speed: number }[] {
  const numbers = text.split(',').map((part) => numberOf('engines', part));
  if (numbers.length > 1) return numbers.map((speed) => ({ speed }));
  const [count] = numbers;
  if (!Number.isInteger(count) || count! < 1 || count! > 64) {
    throw wrong(`Expected a whole number in [1, 64], or a list of speeds, for --engines but received ${text}`);
  }
  return Array.from({ length: count! }, () => ({ speed: 1 }));
}

function numberOf(flag: string, text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(number)) throw wrong(`Expected a number for --${flag} but received ${text}`);
  return number;
}

function wrong(message: string, cause?: unknown): UsageError {
  return new UsageError(message, 'replay', { cause });
}

function page(results: ({ policy: string } & ClosedLoopResult)[]): string {
  const share = (value: number | null) => (value === null ? '-' : `${(100 * value).toFixed(1)} %`);
  const seconds = (value: number | null) => (value === null ? '-' : value.toFixed(value < 10 ? 2 : 1));
  const rows = results.map(({ policy, requests, goodput, rejected, ttft }) => [
    policy,
    String(requests),
    share(goodput),
    share(rejected),
    seconds(ttft.mean),
    seconds(ttft.p50),
    seconds(ttft.p99),
  ]);
  const table = [['rule', 'requests', 'in time', 'rejected', 'TTFT mean, s', 'median', '99th'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
    .join('\n');
}
