/** Rooted trees, and the membrane tree that they generate. */
export { levelSizes, MAX_DEPTH, type Membrane, membraneTree } from './membrane-tree.js';
export {
  countRootedTrees,
  MAX_TREE_ORDER,
  type RootedTree,
  rootedTrees,
  type TreeTable,
  treeTable,
} from './rooted-trees.js';
