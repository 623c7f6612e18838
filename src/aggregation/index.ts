/** Five sources to one view: quality, metadata, constraints and hints. */
export { aggregateMultiSourceData } from './aggregate.js';
export { SourceHistory } from './history.js';
export { type Aggregation, aggregationSchema, type SourceGrade } from './schema.js';
