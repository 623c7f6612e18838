/**
 * A native run off the JavaScript thread, with progress and cancellation through two shared words: [cancel, progress].
 *
 * The run stops soon after an abort (a network within 32 steps), and the promise rejects with the signal's reason.
 * Progress is polled, so a run shorter than the period reports only its end. A progress listener that throws stops the
 * run, and the promise rejects with its error.
 * Errors: TypeError ERR_DTESN_ARGUMENT for a signal that is not an AbortSignal, or a listener that is not a function.
 */
import { argumentError, checkKeys } from '../errors/index.js';

/** Progress of a long call. */
export interface Progress {
  /** Whole number of steps (inputs, regions) done so far. */
  done: number;
  /** Total number; null when unknown. */
  total: number | null;
  /** The stage: 'run', 'construct', 'train', 'solve', 'forecast', 'context', 'encode', 'model', 'inputs'. */
  stage: string;
}

/**
 * Options of every run off the JavaScript thread. Errors: TypeError ERR_DTESN_ARGUMENT for a signal or listener of
 * another kind.
 */
export interface LongRunOptions {
  /** Stops the run within 32 steps; the promise rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined;
  /** Called about twenty times a second, and at the end. Default: none. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

export const longRunKeys: readonly string[] = ['signal', 'onProgress'];

/** The options of a call that takes no others. */
export function checkLongRun(options: LongRunOptions, call: string): void {
  checkKeys(options, [...longRunKeys], call);
  const { signal, onProgress } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw argumentError('an AbortSignal', 'signal', signal);
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw argumentError('a function ({ done, total, stage })', 'onProgress', onProgress);
  }
}

const PERIOD_MS = 50;

/** Awaits what `start` begins, which counts what it has done in control[1] and stops once control[0] is set. */
export async function longRun(
  start: (control: Int32Array) => Promise<number>,
  { signal, onProgress }: LongRunOptions,
  { stage, total }: Omit<Progress, 'done'>,
): Promise<number> {
  checkLongRun({ signal, onProgress }, stage);
  signal?.throwIfAborted();
  const control = new Int32Array(new SharedArrayBuffer(8));
  const cancel = () => Atomics.store(control, 0, 1);
  const counted = () => Atomics.load(control, 1) >>> 0;
  let thrown: { error: unknown } | undefined;
  const listen = async (done: number) => onProgress?.({ done, total, stage });
  const report = () =>
    listen(counted()).catch((error: unknown) => {
      thrown ??= { error };
      clearInterval(poll);
      cancel();
    });
  const poll = onProgress && setInterval(report, PERIOD_MS);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    const result = await start(control);
    if (thrown) throw thrown.error;
    signal?.throwIfAborted();
    await listen(total ?? counted());
    return result;
  } finally {
    clearInterval(poll);
    signal?.removeEventListener('abort', cancel);
  }
}
