/** Every endpoint of the bridge, a file a group. */
export { configurationEndpoints } from './configuration.js';
export { contextEndpoints } from './context.js';
export { dashboardEndpoints } from './dashboard.js';
export { metricsEndpoint, openApiEndpoint } from './documents.js';
export { engineEndpoints } from './engines.js';
export { eventEndpoints } from './events.js';
export { Logins, loginEndpoint } from './login.js';
export { modelEndpoints } from './models.js';
export { outlookEndpoints } from './outlook.js';
export { probeEndpoints, probeRoutes } from './probes.js';
export { processingEndpoints } from './processing.js';
export { referenceEndpoints } from './reference.js';
export { sessionEndpoints } from './sessions.js';
export { statusEndpoint } from './status.js';
export { ticketEndpoints } from './tickets.js';
