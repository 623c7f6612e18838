/** Programs of operations on a series, run by the addon in place. */
export { type FitLimits, type FlowShape, fitOperations } from './fit.js';
export { type TransformOp, transformOpSchema } from './operations.js';
export {
  EncodedProgram,
  type ProgramSeries,
  type ProgramShape,
  programShape,
  runProgram,
  type SeriesShape,
} from './program.js';
