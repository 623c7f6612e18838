/** Outlooks that are trained on telemetry. */
export {
  Outlook,
  type OutlookForecast,
  type OutlookModelOptions,
  type OutlookReplay,
  type OutlookTrainOptions,
} from './outlook.js';
export type { OutlookLoss, OutlookReport, OutlookScore } from './outlook-report.js';
export type { OutlookSeries } from './telemetry-steps.js';
