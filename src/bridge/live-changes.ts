/**
 * Makes the parts of a running bridge follow a change of its configuration, whole or not at all.
 *
 * What can fail comes first: another processor and other networks of sessions are built beside those in use, off the JavaScript
 * thread, and the session service checks its bounds. A change of `network` builds the default network of sessions alone. Then all of it is put in place at once. Sessions keep the network they began with.
 */
import type { DtesnProcessor } from '../processor/index.js';
import type { BridgeConfig } from './configuration/index.js';
import type { CurrentProcessor } from './current-processor.js';
import type { EngineSet } from './engines/index.js';
import type { BodyBudget } from './http/index.js';
import type { Logger } from './logs/index.js';
import { BridgeError } from './messages/index.js';
import type { BatchRunner, RunnerBounds } from './processing/index.js';
import type { SessionNetwork, SessionService } from './sessions/index.js';

export interface LiveParts {
  processor: CurrentProcessor;
  runner: BatchRunner;
  sessions: SessionService;
  engines: EngineSet;
  bodies: BodyBudget;
  log: Logger;
  memoryFull: () => boolean;
  makeProcessor: (network: BridgeConfig['network']) => Promise<DtesnProcessor>;
  /** Models of `open` whose files are as they were stay open. */
  makeNetworks: (config: BridgeConfig, open: readonly SessionNetwork[]) => Promise<SessionNetwork[]>;
  /** Null where the default network is one of `networks` or `models`. */
  makeDefault: (config: BridgeConfig) => Promise<SessionNetwork> | null;
}

/** `fields`: those whose values differ. Errors: those of the builds; BridgeError impossible, memory. Nothing has changed then. */
export async function applyChange(
  { processor, runner, sessions, engines, bodies, log, memoryFull, makeProcessor, ...parts }: LiveParts,
  next: BridgeConfig,
  fields: readonly string[],
): Promise<void> {
  const isOfNetwork = fields.some((field) => field.startsWith('network.'));
  const isOfSessions = fields.some((field) => /^(networks|models)\./.test(field));
  if ((isOfSessions || isOfNetwork) && memoryFull()) {
    throw new BridgeError('memory', 'The memory of the process is nearly used up: no network is built');
  }
  let made: DtesnProcessor | null = null;
  let networks: SessionNetwork[] | null = null;
  const open = sessions.networks;
  try {
    if (isOfNetwork) made = await makeProcessor(next.network);
    if (isOfSessions) networks = await parts.makeNetworks(next, open);
    else if (isOfNetwork) networks = await withDefault(open, parts.makeDefault(next));
    if (networks === null) sessions.setBounds(next.sessions);
    else sessions.replaceNetworks(networks, next.sessions);
  } catch (error) {
    for (const one of networks ?? []) if (!isOpen(one, open)) one.close();
    await made?.close();
    throw error;
  }
  runner.setBounds(runnerBounds(next));
  sessions.models.setWait(next.processing.queueTtlMs);
  bodies.setMost(next.processing.maxBodyBytes);
  const { admission, startupSeconds, targetUse } = next.outlook;
  engines.admission = admission;
  engines.scale = { startupSeconds, targetUse };
  if (made === null) return;
  processor.replace(made, runner).catch((error: Error & { code?: string }) => {
    log.error('the processor before the change did not close', { code: error.code ?? 'unknown' });
  });
}

async function withDefault(open: readonly SessionNetwork[], built: Promise<SessionNetwork> | null) {
  return built === null ? null : [...open.filter(({ name }) => name !== 'default'), await built];
}

/** Whether one is in use, so that it must not be closed. */
export function isOpen({ network }: SessionNetwork, open: readonly SessionNetwork[]): boolean {
  return open.some((one) => one.network === network);
}

export function runnerBounds({ processing }: BridgeConfig): RunnerBounds {
  const { batchWaitMs, maxRequests, maxQueueBytes: maxBytes, queueTtlMs: ttlMs, maxStreams } = processing;
  return { batchWaitMs, maxRequests, maxBytes, ttlMs, maxStreams };
}
