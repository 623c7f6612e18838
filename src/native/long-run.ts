/**
 * A native run off the JavaScript thread, with progress and cancellation through two shared words: [cancel, progress].
 *
 * The run stops within 32 steps of an abort, and the promise rejects with the signal's reason; the state is then that
 * after the steps done. Progress is polled, so a run shorter than the period reports only its end. A listener of progress
 * that throws stops the run, and the promise rejects with what it threw.
 */
export interface LongRunOptions {
  /** Stops the run within 32 steps; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called with the steps done so far, about twenty times a second and at the end. */
  onProgress?: ((stepsDone: number) => void) | undefined;
}

const PERIOD_MS = 50;

export async function longRun(
  start: (control: Int32Array) => Promise<number>,
  { signal, onProgress }: LongRunOptions,
): Promise<number> {
  signal?.throwIfAborted();
  const control = new Int32Array(new SharedArrayBuffer(8));
  const cancel = () => Atomics.store(control, 0, 1);
  let thrown: { error: unknown } | undefined;
  const report = () => {
    try {
      onProgress?.(Atomics.load(control, 1));
    } catch (error) {
      thrown = { error };
      clearInterval(poll);
      cancel();
    }
  };
  const poll = onProgress && setInterval(report, PERIOD_MS);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    const done = await start(control);
    if (thrown) throw thrown.error;
    signal?.throwIfAborted();
    onProgress?.(done);
    return done;
  } finally {
    clearInterval(poll);
    signal?.removeEventListener('abort', cancel);
  }
}
