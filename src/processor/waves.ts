/**
 * The inputs of a batch as waves, each prepared (context, encoding, transformation) and then run through the model.
 *
 *     batch      where `parallel`: waves of `batchSize` inputs, one native batch after the other; else waves of one input
 *     parallel   waves of one input on up to `threads` models at the same time; else one after the other
 *     overlap    the next wave is prepared while this one is in the model; else only when it has left it
 */
export interface WavePlan {
  batch: boolean;
  batchSize: number;
  parallel: boolean;
  threads: number;
  overlap: boolean;
}

export interface WaveWork<Prepared> {
  /** Prepares inputs [start, end). */
  prepare: (start: number, end: number) => Promise<Prepared>;
  run: (wave: Prepared) => Promise<void>;
  /** Frees the memory of a prepared wave that is not run because another one threw. */
  drop: (wave: Prepared, error: unknown) => void;
}

export async function runWaves<Prepared>(
  inputs: number,
  plan: WavePlan,
  { prepare, run, drop }: WaveWork<Prepared>,
): Promise<void> {
  const size = plan.batch && plan.parallel ? plan.batchSize : 1;
  const workers = plan.batch || !plan.parallel ? 1 : plan.threads;
  let taken = 0;
  let failed = false;
  const next = (): Promise<Prepared> | null => {
    if (failed || taken >= inputs) return null;
    const start = taken;
    taken = Math.min(inputs, start + size);
    return prepare(start, taken);
  };
  const work = async () => {
    let preparing = next();
    while (preparing !== null) {
      const wave = await preparing;
      preparing = plan.overlap ? next() : null;
      preparing?.catch(() => {}); // it is awaited in the next turn, or dropped below
      try {
        await run(wave);
      } catch (error) {
        failed = true;
        void preparing?.then(
          (prepared) => drop(prepared, error),
          () => {},
        );
        throw error;
      }
      preparing ??= next();
    }
  };
  const results = await Promise.allSettled(Array.from({ length: workers }, work));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
