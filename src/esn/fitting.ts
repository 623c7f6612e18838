/** The lessons of a fit, one after the other: into the sums of a Ridge, or step by step through an online readout. */
import { floats, type LongRunOptions } from '../native/index.js';
import { type Network, State } from '../network/index.js';
import { matrix } from '../numeric/index.js';
import { BLOCK_STEPS, isRidge, type Ridge } from '../readout/index.js';
import type { Learner } from './options.js';
import type { PlannedLesson, Training } from './training.js';

/** Returns the state of the last lesson. */
export function learn({ lessons, outputs }: Training, learner: Learner, network: Network): State {
  for (const lesson of lessons) {
    if (lesson.resets) lesson.state.reset();
    if (isRidge(learner)) {
      const sums = learner.sumsOf(network.featureSize, outputs);
      sums.enter(lesson.fold);
      sums.train(lesson);
    } else {
      learnOnline(learner, lesson, outputs, network);
    }
    if (lesson.last) network.run(lesson.last, { state: lesson.state, out: null });
  }
  return lessons.at(-1)!.state;
}

/** The same off the JavaScript thread, for a Ridge. */
export async function learnAsync(
  { lessons, outputs, total }: Training,
  learner: Ridge,
  network: Network,
  run: LongRunOptions,
): Promise<State> {
  let before = 0;
  for (const lesson of lessons) {
    if (lesson.resets) lesson.state.reset();
    const sums = learner.sumsOf(network.featureSize, outputs);
    sums.enter(lesson.fold);
    await State.during([lesson.state], () => sums.trainAsync(lesson, partOf(run, before, total)));
    before += lesson.steps;
    if (lesson.last) network.run(lesson.last, { state: lesson.state, out: null });
  }
  return lessons.at(-1)!.state;
}

/** Progress of one of many runs, as part of all. */
export function partOf({ signal, onProgress }: LongRunOptions, before: number, total: number): LongRunOptions {
  if (onProgress === undefined) return { signal };
  return { signal, onProgress: ({ done, stage }) => onProgress({ done: before + done, total, stage }) };
}

/** Blocks of steps, without those whose target is NaN. */
function learnOnline(
  learner: Exclude<Learner, Ridge>,
  { state, series, targets, steps, washout, block }: PlannedLesson,
  outputs: number,
  { inputs, featureSize, dtype }: Network,
): void {
  const isTaught = (t: number) => t >= washout && !targets.subarray(t * outputs, (t + 1) * outputs).some(Number.isNaN);
  for (let from = 0; from < steps; from += BLOCK_STEPS) {
    const to = Math.min(steps, from + BLOCK_STEPS);
    const rows = block.subarray(0, (to - from) * featureSize);
    state.network.run(series.subarray(from * inputs, to * inputs), { state, out: rows });
    const taught = Array.from({ length: to - from }, (_, t) => from + t).filter(isTaught);
    if (taught.length === 0) continue;
    const x = floats(dtype, taught.length * featureSize);
    const y = new Float64Array(taught.length * outputs);
    taught.forEach((t, i) => {
      x.set(rows.subarray((t - from) * featureSize, (t - from + 1) * featureSize), i * featureSize);
      y.set(targets.subarray(t * outputs, (t + 1) * outputs), i * outputs);
    });
    learner.update(matrix(taught.length, featureSize, x), matrix(taught.length, outputs, y));
  }
}
