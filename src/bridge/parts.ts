/**
 * The parts of a bridge, opened in order: what an error of one of them leaves open is closed again, in the reverse order.
 *
 *     log, metrics -> tokens -> events, engines -> processor, queue -> sessions -> contexts, plan -> configuration
 */
import { readFileSync } from 'node:fs';
import { systemClock } from '../abort/index.js';
import type { Engine } from '../engine/index.js';
import { createConfig, DtesnProcessor } from '../processor/index.js';
import { type BridgeConfig, Configuration, ConfigurationError, definitionSchema } from './configuration/index.js';
import { CurrentProcessor } from './current-processor.js';
import { followEngines } from './engine-changes.js';
import { EngineContexts } from './engine-contexts.js';
import { type EngineReference, EngineSet, EventLog, KeptTelemetry } from './engines/index.js';
import { FirstEngine } from './first-engine.js';
import { BodyBudget, Tokens } from './http/index.js';
import { applyChange, isOpen, type LiveParts, runnerBounds } from './live-changes.js';
import { type Logger, LogWriter } from './logs/index.js';
import { type MetricsRegistry, processMetrics } from './metrics/index.js';
import type { CheckedOptions } from './options.js';
import { PlanWatch } from './plan-watch.js';
import type { Heartbeat } from './probes/index.js';
import { BatchRunner, paceOf } from './processing/index.js';
import {
  buildNetwork,
  modelDefinition,
  type NetworkDefinition,
  type SessionNetwork,
  SessionService,
  stampOf,
  treeDefinition,
} from './sessions/index.js';
import { SourceGauges } from './source-gauges.js';

/** Of one process that serves for long: enough for some hundred long texts. */
const TOKEN_CACHE_BYTES = 8 * 2 ** 20;
/** Milliseconds in which batches share one context; the performance source is read twice a second. */
const CONTEXT_FRESH_MS = 25;

export interface Parts {
  log: Logger;
  metrics: MetricsRegistry;
  tokens: Tokens;
  bodies: BodyBudget;
  events: EventLog;
  engines: EngineSet;
  processor: CurrentProcessor;
  runner: BatchRunner;
  sessions: SessionService;
  contexts: EngineContexts;
  configuration: Configuration;
}

/** What is open, and how it is closed. */
export class Closers {
  readonly #closers: (() => unknown)[] = [];
  #closing: Promise<void> | null = null;

  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Closes all, the last opened first; the first error is thrown at the end. Further calls wait for the same end. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const errors: unknown[] = [];
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

export interface OpenOptions extends CheckedOptions {
  version: string;
  heartbeat: Heartbeat;
  metrics: MetricsRegistry;
  log: Logger;
  closers: Closers;
  /** Whether the process has so little memory left that it takes nothing new. */
  memoryFull: () => boolean;
}

/** The log that options give, or one that writes to stderr. */
export function openLog({ log, config }: CheckedOptions, metrics: MetricsRegistry, closers: Closers): Logger {
  if (log !== undefined) return log;
  const writer = new LogWriter({ metrics, level: config.logLevel });
  closers.add(() => writer.close());
  return writer;
}

export async function openParts(options: OpenOptions): Promise<Parts> {
  const { config, given, metrics, log, closers, heartbeat, memoryFull } = options;
  const measured = processMetrics(metrics, { version: options.version });
  closers.add(() => measured.close());
  const tokens = openTokens(config, log);
  closers.add(() => tokens.close());
  const events = new EventLog({ metrics });
  const references = [...given, ...config.engines.map(engineReference)] as EngineReference[];
  const { enginesFile, stateDir } = config;
  const telemetry = stateDir === null ? null : await KeptTelemetry.open({ dir: stateDir, clock: systemClock, log });
  const { admission, ...scale } = config.outlook;
  const engines = await EngineSet.start({
    engines: references,
    enginesFile,
    admission,
    scale,
    events,
    log,
    metrics,
    telemetry,
  });
  closers.add(() => engines.close());
  heartbeat.phase('building');
  const makeProcessor = processorOf(engines);
  const { processor, runner } = await openProcessing(options, makeProcessor);
  heartbeat.ready({ network: true });
  heartbeat.phase('recovering');
  const sessions = await SessionService.start({
    networks: await sessionNetworks(config),
    stateDir: config.stateDir,
    ...config.sessions,
    memoryFull,
    log,
    metrics,
  });
  closers.add(() => sessions.close());
  sessions.models.setWait(config.processing.queueTtlMs);
  heartbeat.ready({ state: true });
  const contexts = new EngineContexts(processor, engines);
  closers.add(() => contexts.close());
  closers.add(
    followEngines({
      events,
      first: () => firstOf(engines),
      firstChanged: () => processor.invalidate(),
      left: () => contexts.prune(),
      failed: () => log.error('the caches of an engine that left could not be closed'),
    }),
  );
  const watch = new PlanWatch(processor, events);
  closers.add(() => watch.close());
  new SourceGauges(
    metrics,
    () => contexts.figures(),
    () => engines.names,
  );
  const bodies = new BodyBudget(config.processing.maxBodyBytes, memoryFull);
  const live = {
    processor,
    runner,
    sessions,
    engines,
    bodies,
    log,
    memoryFull,
    makeProcessor,
    makeNetworks: sessionNetworks,
    makeDefault: defaultNetwork,
  };
  const configuration = openConfiguration(options, live, events);
  return { log, metrics, tokens, bodies, events, engines, processor, runner, sessions, contexts, configuration };
}

function openTokens(config: BridgeConfig, log: Logger): Tokens {
  return new Tokens({
    files: { read: config.readTokenFile, use: config.useTokenFile, admin: config.adminTokenFile },
    graceMs: config.tokenGraceMs,
    clock: systemClock,
    onBadFile: () => log.warn('a changed token file cannot be taken: the tokens in use stay'),
  });
}

function firstOf(engines: EngineSet): Engine | undefined {
  const [name] = engines.names;
  return name === undefined ? undefined : engines.engine(name);
}

/** Secrets stand in files: the key of an engine is read here. */
function engineReference(engine: BridgeConfig['engines'][number]): EngineReference {
  if (typeof engine === 'string') return engine;
  const { apiKeyFile, ...definition } = engine as { url: string; apiKeyFile?: string };
  return apiKeyFile === undefined ? definition : { ...definition, apiKey: readKey(apiKeyFile) };
}

/** Errors: ConfigurationError that names the file. */
function readKey(file: string): string {
  try {
    const key = readFileSync(file, 'utf8').trim();
    if (key !== '') return key;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigurationError(`engines: the key file ${file} cannot be read: ${code}`, { cause });
  }
  throw new ConfigurationError(`engines: the key file ${file} is empty`);
}

/** Makes processors that read the sources of the first engine. */
function processorOf(engines: EngineSet): LiveParts['makeProcessor'] {
  const first = new FirstEngine(() => firstOf(engines));
  const { threads } = paceOf();
  const expectedLoad = () => engines.expectedLoad;
  const options = {
    engine: first,
    plan: { threads },
    cacheBytes: TOKEN_CACHE_BYTES,
    contextFreshMs: CONTEXT_FRESH_MS,
    expectedLoad,
  };
  return (config) => DtesnProcessor.create({ ...options, config });
}

async function openProcessing({ config, metrics, closers }: OpenOptions, makeProcessor: LiveParts['makeProcessor']) {
  const made = await makeProcessor(config.network);
  const processor = new CurrentProcessor(made);
  closers.add(() => processor.close());
  const { lanes } = paceOf();
  const runner = new BatchRunner({ processor: made, metrics, lanes, ...runnerBounds(config) });
  closers.add(() => runner.close());
  return { processor, runner };
}

function openConfiguration({ start, log, metrics, closers }: OpenOptions, live: LiveParts, events: EventLog) {
  for (const { field, message } of start.warnings)
    log.warn('a rule of the configuration is broken', { field, message });
  const configuration = new Configuration({
    start: start.resolved,
    file: start.file,
    apply: (next, fields) => applyChange(live, next, fields),
    changed: ({ id, origin, changed }) => events.append('config', { version: id, origin, fields: changed }),
    log,
    metrics,
  });
  closers.add(() => configuration.close());
  return configuration;
}

/**
 * The networks of sessions: those that are named, saved models, and `default`, the processor's Deep Tree, where none has that name.
 * A model of `open` whose file was not written since stays open. Errors: ConfigurationError that names the network or model, and
 * its file.
 */
export async function sessionNetworks(
  config: BridgeConfig,
  open: readonly SessionNetwork[] = [],
): Promise<SessionNetwork[]> {
  const own = defaultNetwork(config);
  const building = Object.entries(config.networks).map(async ([name, given]) =>
    buildNetwork(name, 'file' in given ? readDefinition(name, given.file as string) : (given as NetworkDefinition)),
  );
  const opening = Object.entries(config.models).map(([name, { file }]) => openModel(name, file, open));
  const built = await Promise.allSettled([...building, ...opening, ...(own === null ? [] : [own])]);
  const failed = built.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
  const made = built.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  if (failed === undefined) return made;
  for (const one of made) if (!isOpen(one, open)) one.close();
  throw failed.reason;
}

/** The processor's Deep Tree as a network of sessions; null where another one has its name. */
function defaultNetwork({ network, networks, models }: BridgeConfig): Promise<SessionNetwork> | null {
  if ('default' in networks || 'default' in models) return null;
  return buildNetwork('default', treeDefinition(createConfig(network)));
}

async function openModel(name: string, file: string, open: readonly SessionNetwork[]): Promise<SessionNetwork> {
  try {
    const definition = modelDefinition(file);
    const stamp = await stampOf(definition.file);
    const same = open.find((one) => one.stamp === stamp);
    return same === undefined ? await buildNetwork(name, definition) : { ...same, name };
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code?.startsWith('ERR_DTESN_') ? message : (code ?? message);
    const text = `models.${name}: the file ${file} cannot be taken: ${reason}`;
    throw new ConfigurationError(text, { cause, field: `models.${name}` });
  }
}

/** Errors: ConfigurationError that names the network and its file. */
function readDefinition(name: string, file: string): NetworkDefinition {
  try {
    return definitionSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) as NetworkDefinition;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code ?? 'it holds no definition of a network';
    const text = `networks.${name}: the file ${file} cannot be taken: ${reason}`;
    throw new ConfigurationError(text, { cause, field: `networks.${name}` });
  }
}
