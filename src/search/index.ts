/** Searches of hyper-parameters: of functions, and of Esn on data. */
export type { EsnSearchSpace } from './esn-space.js';
export {
  type EsnCandidateOf,
  type EsnSearchBest,
  type EsnSearchOptions,
  type EsnSearchResult,
  search,
} from './search.js';
export type { SearchData, SearchSplits } from './search-data.js';
export type { Evaluate, EvaluationRun, SearchOptions, SearchResult, SearchRow } from './search-run.js';
export type { CandidateOf, SearchConstant, SearchDimension, SearchRange, SearchSpace } from './space.js';
