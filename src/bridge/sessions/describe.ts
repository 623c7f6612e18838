/** Where a session stands, and what it is. */
import type { BlockedSession } from './blocked-session.js';
import type { Durability } from './durability.js';
import type { SessionDescription, SessionPlace } from './requests.js';
import type { Session } from './session.js';

export function placeOf(session: Session | BlockedSession, { state }: Durability): SessionPlace {
  const { record, offset, durable } = session;
  const { id, epoch } = record;
  return { id, epoch, offset, durable, ...(state !== undefined && { durability: state }) };
}

export function describeSession(session: Session | BlockedSession, durability: Durability): SessionDescription {
  const { network, fingerprint, inputs, targets, dtype, createdAt } = session.record;
  const { width, exact, blocked } = session;
  return {
    ...placeOf(session, durability),
    ...{ network, fingerprint, inputs, outputs: width, targets, dtype, createdAt, exact },
    ...(blocked !== null && { blocked }),
  };
}
