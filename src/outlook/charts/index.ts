/** Charts of the health of engines by networks. */
export { type LoadPool, ReservoirLoad } from './reservoir-load.js';
