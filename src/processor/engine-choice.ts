/** The engine a processor works beside, and whether the processor must close it. */

import { type Engine, HttpEngine } from '../engine/index.js';
import { argumentError } from '../errors/index.js';
import { EmbeddedEngine } from '../simulator/index.js';

/** An engine, its URL, null for none, or nothing: the embedded simulation. */
export type EngineChoice = Engine | string | null | undefined;

export interface ChosenEngine {
  engine: Engine | null;
  /** The same engine if the processor opened it and must close it. */
  owned: Engine | null;
}

export async function engineOf(choice: EngineChoice): Promise<ChosenEngine> {
  if (choice === null) return { engine: null, owned: null };
  if (choice === undefined) return owned(await EmbeddedEngine.start());
  if (typeof choice === 'string') return owned(new HttpEngine(choice));
  if (typeof choice !== 'object' || typeof choice.metrics !== 'function') {
    throw argumentError('an engine, its URL, or null', 'engine', choice);
  }
  return { engine: choice, owned: null };
}

function owned(engine: Engine): ChosenEngine {
  return { engine, owned: engine };
}
