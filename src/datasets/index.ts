/**
 * dtesn/datasets: benchmark series by their defining equations, readers of data files, splits and scalers. No file of the package
 * holds data, and nothing here loads the addon.
 *
 * @module dtesn/datasets
 */
export type { Matrix64 } from '../numeric/index.js';
export { type ChannelEqualizationOptions, channelEqualization } from './channel.js';
export { type DoubleScrollOptions, doubleScroll } from './double-scroll.js';
export type { FlowOptions } from './flow.js';
export { type HenonOptions, henon } from './henon.js';
export { type LabelledSeries, parseJapaneseVowels } from './japanese-vowels.js';
export { type KuramotoSivashinskyOptions, kuramotoSivashinsky } from './kuramoto-sivashinsky.js';
export { type LogisticMapOptions, logisticMap } from './logistic-map.js';
export { type LorenzOptions, lorenz } from './lorenz.js';
export { type Lorenz96Options, lorenz96 } from './lorenz96.js';
export { type MackeyGlassOptions, mackeyGlass } from './mackey-glass.js';
export { type MultipleSinesOptions, multipleSines } from './multiple-sines.js';
export { type MultiscrollOptions, multiscroll } from './multiscroll.js';
export { type NarmaOptions, narma, type Task } from './narma.js';
export { type NoiseOptions, noise } from './noise.js';
export { type NpyArray, parseNpy, seriesOfNpy } from './npy-file.js';
export { parseNpz } from './npz-file.js';
export { type RabinovichFabrikantOptions, rabinovichFabrikant } from './rabinovich-fabrikant.js';
export { type RosslerOptions, rossler } from './rossler.js';
export { type MinMaxScalerOptions, minMaxScaler, Scaler, type ScalerParts, standardScaler } from './scaler.js';
export {
  groupFolds,
  type RowRange,
  rowsOf,
  type Split,
  toForecasting,
  trainTestSplit,
  type WalkForwardOptions,
  walkForward,
} from './splits.js';
export { parseTs, type TsFile } from './ts-file.js';
