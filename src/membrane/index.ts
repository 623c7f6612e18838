/** Membranes: the tree of regions that hosts the reservoirs. */
export { levelSizes, MAX_DEPTH, type Membrane, membraneTree } from './membrane-tree.js';
