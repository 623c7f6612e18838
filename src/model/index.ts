/** The Deep Tree ESN: membranes and reservoirs in one object. */
export { DeepTreeModel, type DeepTreeOptions, type HostedMembrane } from './deep-tree.js';
