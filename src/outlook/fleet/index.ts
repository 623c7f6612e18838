/** Several engines together: which of them serves the next request, whether it is taken, and when its first token will be there. */
export type { EngineLoad, RequestTicket } from './engine-outlook.js';
export { Fleet, type FleetChoice, type FleetEvents, type FleetMember } from './fleet.js';
export type { FleetOptions, OutlookOptions, SentRequest } from './fleet-options.js';
export {
  type AdmissionCounts,
  type AdmissionMode,
  admissionModes,
  type FleetAdmission,
  type FleetOutlook,
  type Refusal,
  type WithheldRefusal,
} from './fleet-outlook.js';
export type { OutlookSkill } from './outlook-skill.js';
