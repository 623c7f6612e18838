/** Sessions: long-lived streams of rows through one network each, with online readouts, durable through the journal. */
export type { AnswerForm } from './answer-room.js';
export type { ModelDescription, ModelRunRequest, ModelRuns } from './model-runs.js';
export { modelDefinition, stampOf } from './models.js';
export {
  buildNetwork,
  fingerprintOf,
  type NetworkDefinition,
  rebuildNetwork,
  type SessionNetwork,
  type TreeConfiguration,
  treeDefinition,
} from './networks.js';
export type { SessionBounds, SessionServiceOptions } from './options.js';
export type {
  CreateResult,
  CreateSession,
  LearnerSettings,
  ReadoutAnswer,
  RowMatrix,
  Rows,
  SessionDescription,
  SessionList,
  SessionPlace,
  StepsAnswer,
  StepsItem,
  StepsOutcome,
  StepsRequest,
} from './requests.js';
export { SessionService } from './service.js';
