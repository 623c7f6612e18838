/**
 * The layer of the environment: DTESN_BRIDGE_LISTEN, DTESN_BRIDGE_SESSIONS_MAX_SESSIONS ... by the names of the fields, and DTESN_UNITS,
 * DTESN_DEPTH ... for the network, which every processor reads.
 *
 * Lists are separated by commas; an empty variable is not set. An unknown DTESN_BRIDGE_* is refused by name, but for those that
 * Kubernetes gives every container for a service named dtesn-bridge.
 */
import { didYouMean } from '../../errors/index.js';
import { readEnvironment } from '../../processor/index.js';
import { ConfigurationError } from './configuration-error.js';
import { fields, valueOfText } from './fields.js';
import { type Layer, layerErrors, layerOf } from './layers.js';

const prefix = 'DTESN_BRIDGE_';
const ofKubernetes =
  /^DTESN_BRIDGE_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;

/** Errors: ConfigurationError that names the variable; TypeError for an old name beside its new one. */
export function environmentLayer(environment: NodeJS.ProcessEnv): Layer {
  const byVariable = new Map(fields.map((field) => [field.variable, field]));
  const layer = layerOf({ network: readEnvironment(environment) });
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(prefix) || text === undefined || text === '' || ofKubernetes.test(variable)) continue;
    const field = byVariable.get(variable);
    if (field === undefined) throw unknownVariable(variable);
    layer.set(field.name, valueOfText(field, text));
  }
  const [error] = layerErrors(layer);
  if (error === undefined) return layer;
  const variable = fields.find(({ name }) => name === error.field)?.variable ?? error.field;
  throw new ConfigurationError(`the variable ${variable} cannot be taken: ${error.message}`);
}

function unknownVariable(variable: string): ConfigurationError {
  const known = fields.flatMap((field) => field.variable ?? []);
  return new ConfigurationError(`the variable ${variable} names no field${didYouMean(variable, known)}`);
}
