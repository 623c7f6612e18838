/** Outlook: what will happen to requests and engines, and what follows from it. Nothing here loads the addon. */
export { type LoadPool, ReservoirLoad } from './charts/index.js';
