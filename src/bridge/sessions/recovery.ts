/**
 * Recovery: sessions of the journal back to the bit, each from its snapshot and the rows after it.
 *
 * A session whose fingerprint neither the configuration nor its definition gives is blocked, and so is one that the journal
 * quarantined. The others replay their rows in micro-batches, as they were applied.
 */
import type { Floats } from '../../native/index.js';
import type { RecoveredSession, SessionSnapshot } from '../journal/index.js';
import type { Logger } from '../logs/index.js';
import { BlockedSession, withTail } from './blocked-session.js';
import { rebuildNetwork, type SessionNetwork } from './networks.js';
import { OnlineReadout } from './online-readout.js';
import type { PinnedNetwork, PinnedNetworks } from './pinned-networks.js';
import { type KeptRecord, Session, type SessionSettings } from './session.js';
import { StepsWork } from './steps-work.js';

export interface RecoveryParts {
  networks: PinnedNetworks;
  /** Version and instruction set of this process. */
  build: string;
  log: Logger;
  now: number;
}

export async function recoverSessions(
  recovered: readonly RecoveredSession[],
  parts: RecoveryParts,
): Promise<(Session | BlockedSession)[]> {
  const pinned = await pinnedOf(recovered, parts);
  const replays: Promise<unknown>[] = [];
  const sessions = recovered.map((one) => {
    if (one.quarantined !== null) return new BlockedSession(one, 'quarantined');
    const network = pinned.get(one.session.fingerprint);
    if (network === undefined) return new BlockedSession(withTail(one), 'network_changed');
    const { session, done } = recoverSession(withTail(one), network, parts);
    replays.push(done);
    return session;
  });
  await Promise.all(replays);
  return sessions;
}

/** The network of each fingerprint that can be had. */
async function pinnedOf(recovered: readonly RecoveredSession[], { networks, log }: RecoveryParts) {
  const found = new Map<string, PinnedNetwork>();
  const tried = new Set<string>();
  for (const { session, quarantined } of recovered) {
    const { fingerprint, network: name, definition } = session;
    if (quarantined !== null || tried.has(fingerprint)) continue;
    tried.add(fingerprint);
    const pinned =
      networks.withFingerprint(fingerprint) ?? (await rebuilt(name, fingerprint, definition, networks, log));
    if (pinned !== undefined) found.set(fingerprint, pinned);
  }
  return found;
}

async function rebuilt(
  name: string,
  fingerprint: string,
  definition: unknown,
  networks: PinnedNetworks,
  log: Logger,
): Promise<PinnedNetwork | undefined> {
  if (definition === undefined) return undefined;
  try {
    const made = await rebuildNetwork(name, definition as SessionNetwork['definition']);
    try {
      if (made.fingerprint === fingerprint) return networks.add(made);
      log.warn('the network of sessions was rebuilt with other weights', { network: name });
    } catch (error) {
      made.close();
      throw error;
    }
    made.close();
  } catch (error) {
    log.warn('the network of sessions cannot be rebuilt', { network: name, error: (error as Error).message });
  }
  return undefined;
}

function recoverSession(recovered: RecoveredSession, pinned: PinnedNetwork, { build, now }: RecoveryParts) {
  const { offset, parts, rows } = recovered;
  const record = recovered.session as KeptRecord;
  const { settings } = record;
  const { featureSize } = pinned.made.network;
  const learner = settings.learner === null ? null : learnerOf(settings.learner, featureSize, parts);
  const session = new Session(record, { pinned, learner, now });
  pinned.sessions++;
  session.offset = offset;
  session.exact = settings.build === build && parts['inexact'] === undefined;
  if (parts['state'] !== undefined) session.place = pinned.streams.begin(floatsOf(parts['state'], record.dtype));
  const works = rows.map((one) => {
    const count = one.rows.length / record.inputs;
    const work = new StepsWork(session, one.from, { count, data: one.rows }, one.targets, true);
    pinned.batches.add(work);
    return work.done;
  });
  const done = Promise.all(works).then(() => {
    session.committed = session.offset;
  });
  return { session, done };
}

function learnerOf(
  settings: NonNullable<SessionSettings['learner']>,
  features: number,
  parts: SessionSnapshot['parts'],
) {
  const { learner, errors } = parts;
  const saved = learner === undefined || errors === undefined ? undefined : { learner, errors };
  return new OnlineReadout(features, settings, saved);
}

/** Elements of bytes that may lie anywhere in a buffer. */
export function floatsOf(bytes: Uint8Array, dtype: 'f32' | 'f64'): Floats {
  const { buffer } = bytes.slice();
  return dtype === 'f32' ? new Float32Array(buffer) : new Float64Array(buffer);
}
