/**
 * `dtesn bridge`: the sidecar server, until SIGTERM or SIGINT.
 *
 * stdout carries one line a listener when it is ready; logs are JSON lines on stderr. Exit codes, each but 0 with one line on stderr
 * that names the reason:
 *
 *     0   drained
 *     1   failed: an address is in use or cannot be bound; a drain whose commit failed or was late
 *     2   wrong usage: an unknown flag, or a wrong value of one
 *     70  an unexpected error while it ran
 *     75  another bridge holds the state directory
 *     78  unusable: the state directory, a file of a token, key, certificate or of the configuration, the environment, or a Unix
 *         socket that every user may open without a token
 */
import { parseArgs } from 'node:util';
import type { BridgeOptions } from '../bridge/index.js';
import { UsageError } from './usage-error.js';

const usage = `dtesn bridge: the server beside an inference engine that tells what it does and processes inputs

  --engine URL           http://HOST:PORT, https://..., unix:/path or dns+http://name:port; may be given again.
                         Without one an embedded simulation answers, and no model is running
  --engines-file FILE    engines in the form of Prometheus file_sd, watched
  --listen ADDRESS       HOST:PORT, [HOST]:PORT or unix:/path; may be given again (127.0.0.1:2250)
  --probe-listen ADDRESS HOST:PORT of /livez and /readyz, answered by a thread (127.0.0.1:2251)
  --config FILE          JSON; flags override the environment, which overrides the file (docs/bridge-configuration.md)
  --state-dir DIR        keeps sessions over restarts and power loss; without it they live in memory
  --read-token-file FILE, --use-token-file FILE, --admin-token-file FILE
                         tokens of 32 bytes or more for looking, for using, and for changing the configuration
  --tls-cert FILE, --tls-key FILE
  --allowed-host NAME    a further name that the Host header may have; may be given again
  --log-level LEVEL      debug, info, warn or error (info)
  --help
`;

const options = {
  engine: { type: 'string', multiple: true },
  'engines-file': { type: 'string' },
  listen: { type: 'string', multiple: true },
  'probe-listen': { type: 'string' },
  config: { type: 'string' },
  'state-dir': { type: 'string' },
  'read-token-file': { type: 'string' },
  'use-token-file': { type: 'string' },
  'admin-token-file': { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'allowed-host': { type: 'string', multiple: true },
  'log-level': { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Runs until a signal comes; returns the exit code. */
export async function runBridge(args: string[]): Promise<number> {
  const values = parse(args);
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const { serve } = await import('../bridge/index.js');
  // What a library may still hold open does not keep a drained bridge alive.
  process.exit(await serve(optionsOf(values)));
}

type Values = ReturnType<typeof parse>;

function parse(args: string[]) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, usage, { cause: error });
  }
}

function optionsOf(values: Values): BridgeOptions {
  const flags = {
    engines: values.engine,
    enginesFile: values['engines-file'],
    listen: values.listen,
    probeListen: values['probe-listen'],
    configFile: values.config,
    stateDir: values['state-dir'],
    readTokenFile: values['read-token-file'],
    useTokenFile: values['use-token-file'],
    adminTokenFile: values['admin-token-file'],
    tlsCert: values['tls-cert'],
    tlsKey: values['tls-key'],
    allowedHosts: values['allowed-host'],
    logLevel: values['log-level'] as BridgeOptions['logLevel'],
  };
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
}
