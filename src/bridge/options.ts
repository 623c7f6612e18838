/** What a program gives Bridge.start beside the configuration. */
import type { z } from 'zod';
import type { Engine } from '../engine/index.js';
import { argumentError } from '../errors/index.js';
import { type BridgeConfig, type BridgeConfigInput, configSchema } from './configuration/index.js';
import type { GivenEngine } from './engines/index.js';
import type { Logger } from './logs/index.js';
import type { MetricsRegistry } from './metrics/index.js';

const standardSocketMode = 0o660;

export interface BridgeOptions extends Omit<BridgeConfigInput, 'engines'> {
  /** Addresses (`http://`, `https://`, `unix:/path`, `dns+http://host:port`), definitions, or engines of the program, which stay open. */
  engines?: (NonNullable<BridgeConfigInput['engines']>[number] | GivenEngine)[] | undefined;
  /** Where the bridge logs; JSON lines on stderr by default. */
  log?: Logger | undefined;
  /** Where it counts; a registry of its own by default. */
  metrics?: MetricsRegistry | undefined;
}

export interface CheckedOptions {
  config: BridgeConfig;
  given: GivenEngine[];
  log: Logger | undefined;
  metrics: MetricsRegistry | undefined;
}

/** Checks options. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT that names the field. */
export function checkBridgeOptions(options: BridgeOptions): CheckedOptions {
  if (typeof options !== 'object' || options === null)
    throw argumentError('an object', 'the options of Bridge', options);
  const { log, metrics, engines = [], ...rest } = options;
  const given = engines.filter(isGivenEngine);
  const named = engines.filter((one) => !isGivenEngine(one));
  const result = configSchema.safeParse({ ...rest, engines: named });
  if (!result.success) throw refusal(result.error, options);
  checkTogether(result.data);
  return { config: result.data, given, log, metrics };
}

/** What no field alone says. */
function checkTogether({ tlsCert, tlsKey, listen, socketMode, readTokenFile, useTokenFile }: BridgeConfig): void {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw argumentError('tlsCert and tlsKey, or none of them', tlsCert === undefined ? 'tlsCert' : 'tlsKey', undefined);
  }
  const isOpenToAll = socketMode > standardSocketMode && listen.some((address) => address.startsWith('unix:'));
  if (isOpenToAll && readTokenFile === undefined && useTokenFile === undefined) {
    const expected = 'a readTokenFile or a useTokenFile for a Unix socket that every user may open, or 432 (0660)';
    throw argumentError(expected, 'socketMode', socketMode);
  }
}

function isGivenEngine(one: unknown): one is GivenEngine {
  return typeof one === 'object' && one !== null && typeof (one as { engine?: Engine }).engine?.metrics === 'function';
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
