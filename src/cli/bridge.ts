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
import { setFlagsFromString } from 'node:v8';
import type { BridgeOptions } from '../bridge/index.js';
import { argumentsOf } from './arguments.js';

/**
 * How V8 collects, for a process whose objects live as long as a request:
 *
 *   - The heap grows by 50 percent before all of it is collected again. Where little is allocated V8 does so after 8 MB, which is
 *     a third of the work of a bridge that reads fifty engines. By 100 percent its memory would grow for ten minutes.
 *   - Young objects are collected by one thread. V8 wakes four for it, though a megabyte is left to copy: a quarter of the work of
 *     such a bridge, and they take the CPUs from the model.
 *   - Old objects are marked by the event loop, at most some milliseconds at a time. Four threads that mark beside the model's stop it
 *     and the event loop for 30 ms.
 *   - No object begins as an old one because others of its kind became old: what it holds would be kept with it.
 */
const V8_FLAGS = [
  '--heap-growing-percent=50',
  '--no-parallel-scavenge',
  '--no-concurrent-array-buffer-sweeping',
  '--no-concurrent-marking',
  '--no-allocation-site-pretenuring',
];

/** Runs until a signal comes; returns the exit code. */
export async function runBridge(args: string[]): Promise<number> {
  const { values } = argumentsOf('bridge', args);
  for (const flag of V8_FLAGS) setFlagsFromString(flag);
  const { serve } = await import('../bridge/index.js');
  // What a library may still hold open does not keep a drained bridge alive.
  process.exit(await serve(optionsOf(values)));
}

type Values = ReturnType<typeof argumentsOf<'bridge'>>['values'];

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
