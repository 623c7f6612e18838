/** Plots. */
export { type OutlookPlotOptions, outlookPlot } from './outlook-plot.js';
