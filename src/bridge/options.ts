/** What a program gives Bridge.start: fields of the configuration, the file of others, and what no file can hold. */
import type { z } from 'zod';
import type { Engine } from '../engine/index.js';
import { argumentError, rangeError } from '../errors/index.js';
import {
  type BridgeConfig,
  type BridgeConfigInput,
  configSchema,
  isConfigurationError,
  type StartConfiguration,
  startConfiguration,
} from './configuration/index.js';
import { checkEngineAddress, type EngineDefinition, type EngineReference, type GivenEngine } from './engines/index.js';
import { parseListen } from './http/index.js';
import { ExitError, exitCodes } from './life/index.js';
import type { Logger } from './logs/index.js';
import type { MetricsRegistry } from './metrics/index.js';

const standardSocketMode = 0o660;

/**
 * Options of Bridge.start and serve: the fields of the configuration (BridgeConfigInput), the file of others, and what
 * no file can hold.
 *
 * What is left out is taken from the environment (DTESN_BRIDGE_*), then from `configFile`, then from the defaults.
 */
export interface BridgeOptions extends Omit<BridgeConfigInput, 'engines'> {
  /**
   * Engines to watch, at most 50: addresses (`http://`, `https://`, `unix:/path`, `dns+http://host:port`),
   * definitions, or engines of the program, which stay open. Default: the embedded simulation.
   */
  engines?: (NonNullable<BridgeConfigInput['engines']>[number] | EngineDefinition | GivenEngine)[] | undefined;
  /** A JSON file of the configuration, watched; the other options and the environment are over it. Default: none. */
  configFile?: string | undefined;
  /** Where the bridge logs. Default: JSON lines on stderr. */
  log?: Logger | undefined;
  /** Where the bridge counts. Default: a registry of its own. */
  metrics?: MetricsRegistry | undefined;
}

export interface CheckedOptions {
  config: BridgeConfig;
  start: StartConfiguration;
  /** Engines of the program, and definitions with a key, which no configuration shows. */
  given: EngineReference[];
  log: Logger | undefined;
  metrics: MetricsRegistry | undefined;
}

/**
 * Checks options, environment and file. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT that names the field; ExitError 78 with
 * one line for what is wrong with the file or the environment.
 */
export function checkBridgeOptions(options: BridgeOptions, environment = process.env): CheckedOptions {
  if (typeof options !== 'object' || options === null)
    throw argumentError('an object', 'the options of Bridge', options);
  const { log, metrics, engines, configFile, ...rest } = options;
  const given = engines?.filter(isGiven) ?? [];
  const named = engines?.filter((one) => !isGiven(one));
  const flags = named === undefined ? rest : { ...rest, engines: named };
  const result = configSchema.safeParse(flags);
  if (!result.success) throw refusal(result.error, options);
  const start = startOf({ flags, environment, path: configFile });
  checkAddresses(start.resolved);
  checkTogether(start.resolved);
  return { config: start.resolved.config, start, given, log, metrics };
}

function startOf(options: Parameters<typeof startConfiguration>[0]): StartConfiguration {
  try {
    return startConfiguration(options);
  } catch (error) {
    const isKnown = isConfigurationError(error) || (error as { code?: unknown }).code === 'ERR_DTESN_ARGUMENT';
    if (!isKnown) throw error;
    throw new ExitError(exitCodes.configuration, (error as Error).message, { cause: error });
  }
}

function isGiven(one: unknown): one is GivenEngine | EngineDefinition {
  if (typeof one !== 'object' || one === null) return false;
  return 'apiKey' in one || typeof (one as { engine?: Engine }).engine?.metrics === 'function';
}

/** Errors: that of the argument for what flags or the program gave; ExitError 78 where file or environment did. */
function checkAddresses({ config, origins }: StartConfiguration['resolved']): void {
  const check = (field: string, all: readonly string[], one: (text: string) => void) => {
    try {
      all.forEach(one);
    } catch (error) {
      if (origins.get(field) === 'flag') throw error;
      const message = `the configuration cannot be taken: ${field}: ${(error as Error).message}`;
      throw new ExitError(exitCodes.configuration, message, { cause: error });
    }
  };
  const { listen, probeListen, engines } = config;
  check('listen', listen, (text) => {
    if (parseListen(text) === null) throw rangeError('HOST:PORT, [HOST]:PORT or unix:PATH', 'listen', text);
  });
  check('probeListen', typeof probeListen === 'string' ? [probeListen] : [], (text) => {
    if (parseListen(text)?.kind !== 'tcp') throw rangeError('HOST:PORT or [HOST]:PORT', 'probeListen', text);
  });
  const urls = engines.map((one) => (typeof one === 'string' ? one : one.url));
  check('engines', urls, checkEngineAddress);
  const names = engines.map((one) => (typeof one === 'string' ? one : (one.name ?? one.url)));
  check('engines', names, (name) => {
    if (names.filter((other) => other === name).length > 1) throw rangeError('a name for each', 'engines', name);
  });
}

/** What no field alone says. */
function checkTogether({ config, origins }: StartConfiguration['resolved']): void {
  const { tlsCert, tlsKey, listen, socketMode, readTokenFile, useTokenFile } = config;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw argumentError('tlsCert and tlsKey, or none of them', tlsCert === undefined ? 'tlsCert' : 'tlsKey', undefined);
  }
  const isOpenToAll = socketMode > standardSocketMode && listen.some((address) => address.startsWith('unix:'));
  if (isOpenToAll && readTokenFile === undefined && useTokenFile === undefined) {
    const expected = 'a readTokenFile or a useTokenFile for a Unix socket that every user may open, or 432 (0660)';
    const error = argumentError(expected, 'socketMode', socketMode);
    if (origins.get('socketMode') === 'flag') throw error;
    throw new ExitError(exitCodes.configuration, error.message, { cause: error });
  }
}

function refusal(error: z.ZodError, options: object): Error {
  const [issue] = error.issues;
  const place = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys')
    return argumentError(`no field ${issue.keys.join(', ')}`, ['the options of Bridge', ...place].join('.'), options);
  const received = place.reduce<unknown>(
    (value, key) => (value as Record<string, unknown> | undefined)?.[key],
    options,
  );
  return argumentError(
    `a value as its schema has it (${issue?.message})`,
    place.join('.') || 'the options of Bridge',
    received,
  );
}
