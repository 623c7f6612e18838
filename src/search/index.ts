/** Searches of hyper-parameters. */
export {
  type Evaluate,
  type EvaluationRun,
  type SearchOptions,
  type SearchResult,
  type SearchRow,
  search,
} from './search.js';
export type { CandidateOf, SearchConstant, SearchDimension, SearchRange, SearchSpace } from './space.js';
