/** A series that arrives in chunks: where the model's state stood after the last chunk. */
import { argumentError, brand, DtesnError } from '../errors/index.js';
import type { DeepTreeModel } from '../network/index.js';
import { type Draft, programOf } from '../pipeline/index.js';
import type { TransformOp } from '../transform/index.js';

/**
 * A series that arrives in chunks: where the model's state stood after the last chunk.
 *
 *     const continuation = processor.openContinuation();
 *     await processor.process(first, { continueFrom: continuation });
 *     await processor.process(second, { continueFrom: continuation });      // starts where the first ended
 *
 * The state after the chunks equals that after the whole series to the bit, where both run the same way (process, or
 * processBatch). A chunk that fails or is aborted leaves the state as it was, so that it can be sent again. One chunk of a
 * continuation runs at a time. It holds plain memory: there is nothing to close.
 *
 * A chunk does not know the rest of its series, and the load may change between chunks. Therefore all membranes are
 * computed, features are not standardised, and operations that look beyond one row are left out and recorded (truncation to
 * the model's length, moving averages, measured moments). Text is tokenised chunk by chunk: where it can be cut at white
 * space, most tokenizers give the tokens of the whole.
 *
 * Errors: TypeError ERR_DTESN_ARGUMENT for a continuation of another processor; DtesnError ERR_DTESN_BUSY for one that is
 * in use.
 */
export class Continuation {
  readonly #model: DeepTreeModel;
  readonly #state: Float32Array;
  #steps = 0;
  #busy = false;

  /** `processor.openContinuation()` makes one. */
  constructor(model: DeepTreeModel) {
    this.#model = model;
    this.#state = new Float32Array(model.stateSize);
  }

  /** Steps so far. */
  get steps(): number {
    return this.#steps;
  }

  /** A copy of the state after them. */
  get state(): Float32Array {
    return this.#state.slice();
  }

  /**
   * Marks continuations of this model as in use, all or none; returns what frees them.
   * @internal
   */
  static claim(given: readonly (Continuation | null | undefined)[], model: DeepTreeModel): () => void {
    const claimed: Continuation[] = [];
    const free = () => {
      for (const one of claimed) one.#busy = false;
    };
    try {
      for (const one of given) {
        if (one === null || one === undefined) continue;
        if (!isContinuation(one) || !(#busy in one) || one.#model !== model) {
          throw argumentError('a continuation of this processor', 'continueFrom', one);
        }
        if (one.#busy) {
          throw new DtesnError('ERR_DTESN_BUSY', 'Expected a continuation that is idle but a chunk of it is under way');
        }
        one.#busy = true;
        claimed.push(one);
      }
    } catch (error) {
      free();
      throw error;
    }
    return free;
  }

  /**
   * The state after a chunk of so many steps.
   * @internal
   */
  advance(state: Float32Array, steps: number): void {
    this.#state.set(state);
    this.#steps += steps;
  }

  /**
   * Where the next chunk starts.
   * @internal
   */
  get start(): Float32Array {
    return this.#state;
  }
}

export const isContinuation = brand(Continuation, 'Continuation');

/** Settings of the plan that stay the same from chunk to chunk. */
export const continuedPins = { membranes: 'all', standardise: false } as const;

/** The draft without the operations that look beyond one row. */
export function continuedDraft(draft: Draft): Draft {
  const applied = draft.applied.map((entry) => {
    if (entry.kind !== 'data' || !entry.applied || entry.operations.every(seesOneRow)) return entry;
    const reason = 'left out: a chunk of a continued series does not know the rest of it';
    return { ...entry, applied: false, reason };
  });
  return { ...draft, applied, program: programOf(applied) };
}

function seesOneRow(operation: TransformOp): boolean {
  switch (operation.op) {
    case 'clip':
    case 'scale':
    case 'log1p':
    case 'embed':
    case 'repeat':
      return true;
    case 'zscore':
      return operation.mean !== undefined;
    default:
      return false;
  }
}
