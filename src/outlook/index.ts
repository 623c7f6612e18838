/** What will happen to requests and to engines. Nothing here loads the addon. */
export {
  Fleet,
  type FleetChoice,
  type FleetEvents,
  type FleetMember,
  type FleetOptions,
  type ReportedLoad,
} from './fleet/index.js';
