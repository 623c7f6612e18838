import type { Baseline } from '../forecaster.js';
import { everyHorizon } from './every-horizon.js';

/** What was a day before the step: y(t + h - day); it cannot say in the first day. */
export const seasonalNaive: Baseline = {
  name: 'a day ago',
  forecasts: (values, task) =>
    everyHorizon(values, task, (_, t) => (ahead) => {
      const before = t + ahead - task.daySteps;
      return before >= 0 && before <= t ? values[before]! : Number.NaN;
    }),
};
