/** Checks of a request to create a session, and the session it makes. */
import { randomBytes } from 'node:crypto';
import { wallMs } from '../../abort/index.js';
import { BridgeError, ID_PATTERN } from '../messages/index.js';
import { OnlineReadout } from './online-readout.js';
import type { PinnedNetwork } from './pinned-networks.js';
import type { CreateSession, LearnerSettings } from './requests.js';
import { Session, type SessionSettings } from './session.js';

const MOST_COLUMNS = 64;

/** The id of a request, or a random one. Errors: BridgeError `malformed`. */
export function idOf({ id }: CreateSession): string {
  if (id === undefined) return `s-${randomBytes(16).toString('hex')}`;
  if (typeof id === 'string' && ID_PATTERN.test(id)) return id;
  throw new BridgeError('malformed', 'Expected 1 to 128 of A-Z, a-z, 0-9 and . _ : - for id');
}

export function makeSession(
  id: string,
  request: CreateSession,
  { pinned, build, now }: { pinned: PinnedNetwork; build: string; now: number },
): Session {
  const { network, fingerprint, readout, definition } = pinned.made;
  const learner = learnerOf(request.targets);
  const settings: SessionSettings = { build, learner, columns: null };
  settings.columns = columnsOf(request.outputs, learner?.outputs ?? readout?.outputs ?? network.featureSize);
  const record = {
    ...{ id, epoch: randomBytes(12).toString('hex'), network: request.network ?? 'default', fingerprint },
    ...{ inputs: network.inputs, targets: learner?.outputs ?? 0, dtype: network.dtype },
    ...{ createdAt: new Date(wallMs()).toISOString(), definition, settings },
  };
  const learned = learner === null ? null : new OnlineReadout(network.featureSize, learner);
  return new Session(record, { pinned, learner: learned, now });
}

/** Whether a request for an id that exists asks for the session as it is. What it leaves out is as it is. */
export function asksFor(request: CreateSession, { record, settings }: Session): boolean {
  if ((request.network ?? 'default') !== record.network) return false;
  const sameColumns = request.outputs === undefined || equal(columnsOf(request.outputs, Infinity), settings.columns);
  return sameColumns && (request.targets === undefined || equal(learnerOf(request.targets), settings.learner));
}

function equal(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function learnerOf(targets: LearnerSettings | undefined): SessionSettings['learner'] {
  if (targets === undefined) return null;
  const { outputs, ridge = 1e-6, forgetting = 1 } = targets;
  if (!Number.isInteger(outputs) || outputs < 1 || outputs > MOST_COLUMNS) {
    throw new BridgeError('malformed', `Expected a whole number from 1 to ${MOST_COLUMNS} for targets.outputs`);
  }
  if (!(Number.isFinite(ridge) && ridge > 0)) {
    throw new BridgeError('malformed', 'Expected a finite number above 0 for targets.ridge');
  }
  if (!(forgetting > 0 && forgetting <= 1)) {
    throw new BridgeError('malformed', 'Expected a number in (0, 1] for targets.forgetting');
  }
  return { outputs, ridge, forgetting };
}

function columnsOf(outputs: readonly number[] | undefined, width: number): number[] | null {
  if (outputs === undefined) return null;
  const isList = Array.isArray(outputs) && outputs.length >= 1 && outputs.length <= MOST_COLUMNS;
  if (!isList || !outputs.every((column) => Number.isInteger(column) && column >= 0)) {
    throw new BridgeError('malformed', `Expected 1 to ${MOST_COLUMNS} whole numbers, 0 or more, for outputs`);
  }
  const beyond = outputs.find((column) => column >= width);
  if (beyond === undefined) return [...outputs];
  throw new BridgeError(
    'impossible',
    `Expected numbers below ${width} (outputs of the session) for outputs but received ${beyond}`,
  );
}
