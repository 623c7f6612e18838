/**
 * dtesn/plots: pictures as SVG, without a browser. All but plotMembranes and outlookPlot need the optional packages @observablehq/plot and linkedom.
 *
 * @module dtesn/plots
 */
export { type ConfusionPlotOptions, plotConfusion } from './confusion-plot.js';
export { type ForecastPlotOptions, plotForecast } from './forecast-plot.js';
export type { PlotOptions } from './frame.js';
export { type MembranesPlotOptions, type PlottedMembrane, plotMembranes } from './membranes-plot.js';
export { type OutlookPlotOptions, outlookPlot } from './outlook-plot.js';
export { plotSearch, type SearchPlotOptions, type SearchPlotRow } from './search-plot.js';
export { plotSpectrum, type SpectrumPlotOptions } from './spectrum-plot.js';
export { plotStates, type StatesPlotOptions } from './states-plot.js';
