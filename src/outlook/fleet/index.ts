/** Several engines together: which of them serves the next request. */
export {
  Fleet,
  type FleetChoice,
  type FleetEvents,
  type FleetMember,
  type FleetOptions,
  type ReportedLoad,
} from './fleet.js';
