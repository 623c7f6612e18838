/** One input, encoded and transformed, ready for the model. */

import type { Continuation } from './continuation.js';
import type { ContextUse } from './engine-context.js';
import type { Encoding } from './input-encoder.js';
import type { PlannedData } from './planner.js';
import type { StageClock } from './stage-clock.js';
import type { TransformedInput } from './stages.js';

export interface PreparedInput {
  index: number;
  encoding: Encoding;
  planned: PlannedData;
  use: ContextUse;
  transformed: TransformedInput;
  clock: StageClock;
  /** The series that it continues. */
  continuation: Continuation | null;
}
