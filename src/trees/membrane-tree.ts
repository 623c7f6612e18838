/** The membrane tree: the generation tree of rooted trees, cut at a depth. */

import { checkWhole } from '../errors/index.js';
import { rootedTrees } from './rooted-trees.js';

export const MAX_DEPTH = 12;

/**
 * One membrane of the tree: a rooted tree τ with its order, symmetry, density and weight, its level, parent and
 * children.
 */
export interface Membrane {
  /** Place in breadth-first order. */
  index: number;
  /** 1 for the skin; equal to the order of the tree. */
  level: number;
  /** Canonical level sequence of the tree. */
  sequence: number[];
  symmetry: number;
  density: number;
  /** w(τ) */
  weight: number;
  parent: number | null;
  children: number[];
}

/**
 * The membrane tree: the generation tree of rooted trees, cut at a depth.
 *
 * Each membrane is a rooted tree τ; its parent is what remains when the last entry of the canonical level sequence is
 * deleted. Level n (the skin is level 1) holds all trees of order n: 1, 1, 2, 4, 9, 20, 48, ... membranes (OEIS A000081),
 * in decreasing lexicographic order. The weight
 *
 *     w(τ) = n / (σ(τ) γ(τ)),   n = |τ|
 *
 * sums to 1 over a level. Membranes are in breadth-first order: a parent before its children, leaves of the deepest
 * level last.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a depth that is not a whole number from 1 to 12.
 * Source: Beyer & Hedetniemi (1980), SIAM J. Comput. 9(4); Butcher (2016), Numerical Methods for ODEs, section 301.
 */
export function membraneTree(depth: number): Membrane[] {
  checkWhole(depth, 'depth', 1, MAX_DEPTH);
  const membranes: Membrane[] = [];
  let above = 0;
  for (let level = 1; level <= depth; level++) {
    const first = membranes.length;
    for (const tree of rootedTrees(level)) {
      const index = membranes.length;
      const parent = tree.parent === null ? null : above + tree.parent;
      const weight = level / (tree.symmetry * tree.density);
      const { symmetry, density } = tree;
      membranes.push({ index, level, sequence: tree.levels, symmetry, density, weight, parent, children: [] });
      if (parent !== null) membranes[parent]!.children.push(index);
    }
    above = first;
  }
  return membranes;
}

/** Membranes of each level, the skin's first. */
export function levelSizes(membranes: readonly Pick<Membrane, 'level'>[]): number[] {
  const sizes: number[] = [];
  for (const { level } of membranes) sizes[level - 1] = (sizes[level - 1] ?? 0) + 1;
  return sizes;
}
