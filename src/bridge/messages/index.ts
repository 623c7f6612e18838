/** Messages of the bridge: one zod schema each, the error codes, and the bounds that several rooms check. */

export { ID_PATTERN, MAX_FRAME_BYTES, MAX_RUN_ROWS, MAX_STEPS_ITEMS, TRACEPARENT_PATTERN } from './bounds.js';
export {
  BridgeError,
  type BridgeErrorCode,
  type BridgeErrorOptions,
  bridgeErrorCodes,
  isBridgeError,
  shedCodes,
} from './bridge-error.js';
export {
  configAnswerSchema,
  configChangeAnswerSchema,
  configChangeSchema,
  configRollbackSchema,
  configSnapshotSchema,
  configSnapshotsSchema,
  configValidationSchema,
} from './configuration.js';
export {
  type AdmitMessage,
  admitAnswerSchema,
  admitSchema,
  dispatchAnswerSchema,
  dispatchSchema,
  type EnginesMessage,
  enginesAnswerSchema,
  finishSchema,
  firstTokenSchema,
  historyQuery,
  outlookAnswerSchema,
  outlookQuery,
  type PickMessage,
  pickAnswerSchema,
  pickSchema,
  scaleHintAnswerSchema,
  scaleHintQuery,
  ticketAnswerSchema,
} from './engines.js';
export { type ErrorMessage, errorSchema } from './error.js';
export { bridgeErrorOf } from './failures.js';
export {
  batchAnswerSchema,
  batchSchema,
  type InputMessage,
  inputSchema,
  priorityQuery,
  type StreamMessage,
  streamSchema,
} from './inputs.js';
export {
  type ModelRowsMessage,
  modelForecastSchema,
  modelListSchema,
  modelPredictSchema,
  modelRowsSchema,
} from './models.js';
export {
  ackQuery,
  createSessionSchema,
  listQuery,
  type SessionMessage,
  type StepsMessage,
  sessionListSchema,
  sessionReadoutSchema,
  sessionSchema,
  stepsAnswerSchema,
  stepsManyAnswerSchema,
  stepsManySchema,
  stepsSchema,
} from './sessions.js';
export { doneSchema, eventsQuery, loginSchema, probeSchema } from './status.js';
