/**
 * Rooted trees τ, the index set of B-series.
 *
 *     symmetry   σ(•) = 1,  σ([t1^m1 .. tk^mk]) = Π mi! σ(ti)^mi
 *     density    γ(•) = 1,  γ([t1 .. tk]) = |t| Π γ(ti)
 *     alpha      α(t) = |t|! / (σ γ)
 *
 * A tree is its canonical level sequence: the depth of each node in depth-first order, the root at 1, lexicographically
 * largest among all orders of the children. Trees of an order are in decreasing lexicographic order, the tall tree
 * first and the bush last; there are 1, 1, 2, 4, 9, 20, 48, 115, 286, 719, ... of them (OEIS A000081). The parent of a
 * tree is what remains when the last entry of its sequence is deleted, which is canonical again.
 *
 * Orders: trees to 14 (32973 of that order), whose σ, γ, α are exact as numbers; counts to 20.
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an order that is not a whole number in that range.
 * Source: Beyer & Hedetniemi (1980), SIAM J. Comput. 9(4); Butcher (2016), Numerical Methods for ODEs, section 301.
 */
import { checkWhole } from '../errors/index.js';
import { addon } from '../native/index.js';

export const MAX_TREE_ORDER = 14;
const MAX_COUNTED_ORDER = 20;

/** A rooted tree τ by its canonical level sequence, with its symmetry σ, density γ and α = |τ|! / (σ γ). */
export interface RootedTree {
  /** Canonical level sequence, the root at 1. */
  levels: number[];
  order: number;
  symmetry: number;
  density: number;
  /** Index into rootedTrees(order - 1); null for the single node. */
  parent: number | null;
}

/** All trees to an order as typed arrays, one element a tree; indices are into this table, -1 where there is none. */
export interface TreeTable {
  order: Int32Array;
  parent: Int32Array;
  /** t = left ∘ right: right is the last child subtree of t's root, left what remains. */
  left: Int32Array;
  right: Int32Array;
  symmetry: Float64Array;
  density: Float64Array;
  alpha: Float64Array;
}

/** All trees of exactly this order. */
export function rootedTrees(order: number): RootedTree[] {
  const table = addon().treeTable(checkWhole(order, 'order', 1, MAX_TREE_ORDER));
  const first = table.first[order - 1]!;
  const above = order > 1 ? table.first[order - 2]! : 0;
  return Array.from({ length: table.first[order]! - first }, (_, i) => {
    const start = table.start[first + i]!;
    return {
      levels: [...table.levels.subarray(start, start + order)],
      order,
      symmetry: table.symmetry[first + i]!,
      density: table.density[first + i]!,
      parent: order === 1 ? null : table.parent[first + i]! - above,
    };
  });
}

/** How many trees have exactly this order, by generating them: order 20 (12826228 trees) takes a tenth of a second. */
export function countRootedTrees(order: number): number {
  return addon().countTrees(checkWhole(order, 'order', 1, MAX_COUNTED_ORDER));
}

/** All trees of orders 1 to maxOrder, by order and then as rootedTrees(order) has them. */
export function treeTable(maxOrder: number): TreeTable {
  const { order, parent, left, right, symmetry, density, alpha } = addon().treeTable(
    checkWhole(maxOrder, 'maxOrder', 1, MAX_TREE_ORDER),
  );
  return { order, parent, left, right, symmetry, density, alpha };
}
