/**
 * What is known of engines that are gone is forgotten: the sources that the processor keeps of the first engine when another one is
 * the first, and the caches of each engine that left.
 */
import type { Engine } from '../engine/index.js';
import type { EventLog } from './engines/index.js';

export interface EngineChangesOptions {
  events: EventLog;
  /** The first engine now. */
  first: () => Engine | undefined;
  /** Called when the first engine is another one. */
  firstChanged: () => void;
  /** Called when an engine left. */
  left: () => Promise<void>;
  /** Called with the error of `left`. */
  failed: (error: unknown) => void;
}

/** Follows the events; the returned function ends that. */
export function followEngines({ events, first, firstChanged, left, failed }: EngineChangesOptions): () => void {
  let known = first();
  return events.subscribe(({ type }) => {
    if (type !== 'added' && type !== 'removed') return;
    const now = first();
    if (now !== known) firstChanged();
    known = now;
    if (type === 'removed') left().catch(failed);
  });
}
