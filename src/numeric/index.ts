/** Numbers: matrices dense and sparse, series, and the checks they share. */
export { asAnyMatrix, asMatrix, type Matrix64 } from './as-matrix.js';
export { type CsrMatrix, type CsrParts, csr, isCsr } from './csr.js';
export { fft } from './fft.js';
export { checkAllAsStored, checkAsStored, storedAs } from './finite.js';
export { type Matrix, type MatrixData, matrix } from './matrix.js';
export { checkMemory } from './memory.js';
export { columnsOf, readOut, readSeries, type SeriesInput, type SeriesTarget } from './series.js';
export { dot, singularValues } from './singular-values.js';
export { spectralRadius, spectralRadiusAsync } from './spectral-radius.js';
