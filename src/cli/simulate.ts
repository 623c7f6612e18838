/**
 * `dtesn simulate`: simulated Aphrodite servers until SIGINT or SIGTERM.
 *
 * Where they listen goes to stdout (a page, or one JSON object with --json); on a terminal a line of what runs is kept
 * on stderr. Exit codes: 0 ended by SIGTERM, 130 by Ctrl-C, 1 failed (port taken, trace wrong), 2 wrong usage.
 */
import { EngineSimulator, type EngineSimulatorOptions, type FaultOptions, faultKinds } from '../simulator/index.js';
import { argumentsOf } from './arguments.js';
import { endAtInterrupt, nextSignal } from './endings.js';
import { columnsOf, printJson, printPage } from './output.js';
import { printable } from './printable.js';
import { Paint } from './terminal.js';
import { UsageError } from './usage-error.js';
import { cut } from './wrap.js';

const MAX_SERVERS = 64;
const LIVE_LINE_MS = 1000;

type Values = Omit<ReturnType<typeof valuesOf>, 'help'>;

/** Runs until a signal comes; returns the exit code. */
export async function simulate(args: string[]): Promise<number> {
  const values = valuesOf(args);
  const started = endAtInterrupt();
  const simulators = await startAll(values);
  const signal = nextSignal();
  started();
  try {
    if (values.json) printJson(description(values, simulators));
    else printPage(page(values, simulators));
    return await running(simulators, signal);
  } finally {
    await Promise.all(simulators.map((simulator) => simulator.close()));
  }
}

const defaults = { port: '2242', host: '127.0.0.1', servers: '1', engines: '1', speed: '1', seed: '0' };

function valuesOf(args: string[]) {
  return { ...defaults, ...argumentsOf('simulate', args).values };
}

async function startAll(values: Values): Promise<EngineSimulator[]> {
  const servers = numberOf(values, 'servers');
  if (!(Number.isInteger(servers) && servers >= 1 && servers <= MAX_SERVERS)) {
    throw new UsageError(
      `Expected a whole number in [1, ${MAX_SERVERS}] for --servers but received ${servers}`,
      'simulate',
    );
  }
  const first = simulatorOptions(values);
  const started: EngineSimulator[] = [];
  try {
    for (let i = 0; i < servers; i++) {
      const port = first.port === 0 ? 0 : first.port + i;
      started.push(await EngineSimulator.start({ ...first, port, seed: first.seed + i }));
    }
    return started;
  } catch (error) {
    await Promise.all(started.map((simulator) => simulator.close()));
    const { code, message } = error as { code?: string; message: string };
    throw code === 'ERR_DTESN_ARGUMENT' ? new UsageError(message, 'simulate', { cause: error }) : error;
  }
}

function simulatorOptions(values: Values): EngineSimulatorOptions & { port: number; seed: number } {
  const speed = numberOf(values, 'speed');
  if (speed === 0) throw new UsageError('Expected a number above 0 for --speed but received 0', 'simulate');
  return {
    speed,
    port: numberOf(values, 'port'),
    host: values.host,
    engines: numberOf(values, 'engines'),
    seed: numberOf(values, 'seed'),
    loop: values.loop ?? false,
    devMode: values['dev-mode'] ?? false,
    faults: (values.fault ?? []).map(faultOf),
    ...(values.load !== undefined && { load: numberOf(values, 'load') }),
    ...(values.trace !== undefined && { trace: values.trace }),
    ...(values['api-key'] !== undefined && { apiKey: values['api-key'] }),
  };
}

function numberOf(values: Values, name: 'port' | 'servers' | 'engines' | 'load' | 'speed' | 'seed'): number {
  const text = values[name] ?? '';
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new UsageError(`Expected a number for --${name} but received ${JSON.stringify(text)}`, 'simulate');
}

/** `hang@60:30`: at 60 virtual seconds, for 30. */
function faultOf(text: string): FaultOptions {
  const [, name, at, duration] = /^([^@]+)@(\d+(?:\.\d+)?)(?::(\d+(?:\.\d+)?))?$/.exec(text) ?? [];
  const kind = faultKinds.find((known) => known === name);
  if (name === undefined) {
    throw new UsageError(
      `Expected KIND@SECONDS[:DURATION] for --fault but received ${JSON.stringify(text)}`,
      'simulate',
    );
  }
  if (kind === undefined) throw new UsageError(`Unknown fault ${name}; known are ${faultKinds.join(', ')}`, 'simulate');
  return { kind, atSeconds: Number(at), ...(duration !== undefined && { durationSeconds: Number(duration) }) };
}

function description(values: Values, simulators: readonly EngineSimulator[]) {
  return {
    servers: simulators.map(({ url }) => url),
    engines: numberOf(values, 'engines'),
    trace: values.trace ?? null,
    speed: numberOf(values, 'speed'),
    seed: numberOf(values, 'seed'),
    faults: (values.fault ?? []).map(faultOf),
  };
}

function page(values: Values, simulators: readonly EngineSimulator[]): string {
  const paint = new Paint(process.stdout);
  const engines = `${values.engines} engine${values.engines === '1' ? '' : 's'}`;
  const source = printable(values.trace ?? 'synthetic arrivals');
  return [
    `${paint.bold('Simulated Aphrodite')}  ${engines} each, ${source}, speed ${values.speed}`,
    ...simulators.map(({ url }) => `  ${paint.accent(url)}`),
    ...(values.fault ?? []).map((fault) => `  ${paint.warn(fault)}`),
  ].join('\n');
}

/** Moves the servers on every second, shows a status line on a terminal, and returns when a signal comes. */
async function running(simulators: readonly EngineSimulator[], signal: Promise<number>): Promise<number> {
  const { stderr } = process;
  const paint = new Paint(stderr);
  let timer: NodeJS.Timeout | undefined;
  const failed = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      // A port that a fault closed and another process took in the meantime is an error of the command.
      Promise.all(simulators.map((simulator) => simulator.advanceTo(simulator.time))).catch(reject);
      if (stderr.isTTY) stderr.write(`\r\u001b[2K${cut(liveLine(simulators, paint), columnsOf(stderr) - 1)}`);
    }, LIVE_LINE_MS);
  });
  try {
    return await Promise.race([signal, failed]);
  } finally {
    clearInterval(timer);
    if (stderr.isTTY) stderr.write('\r\u001b[2K');
  }
}

/** `  12 s  running 14  waiting 0  KV 31 %  hang`, all servers together; KV of the fullest engine. */
export function liveLine(simulators: readonly EngineSimulator[], paint: Paint): string {
  const worlds = simulators.map(({ simulation }) => simulation);
  const running = worlds.reduce((sum, world) => sum + world.running, 0);
  const waiting = worlds.reduce((sum, world) => sum + world.waiting, 0);
  const usage = Math.max(...worlds.flatMap(({ engines }) => engines.map(({ kvUsage }) => kvUsage)));
  const faults = [...new Set(simulators.flatMap(({ activeFaults }) => activeFaults))];
  const figures = `${worlds[0]!.time.toFixed(0)} s  running ${running}  waiting ${waiting}`;
  return `  ${figures}  KV ${(100 * usage).toFixed(0)} %  ${paint.warn(faults.join(' '))}`.trimEnd();
}
