/** B-series: rooted trees and the elementary differentials they index. */
export {
  type Differentials,
  type DifferentialsOptions,
  elementaryDifferentials,
  errorEstimate,
  MAX_DIFFERENTIAL_ORDER,
  taylorCoefficients,
} from './differentials.js';
export {
  countRootedTrees,
  MAX_TREE_ORDER,
  type RootedTree,
  rootedTrees,
  type TreeTable,
  treeTable,
} from './trees.js';
