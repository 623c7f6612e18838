/**
 * Saved models as networks of sessions: the files of Esn.save.
 *
 *     fingerprint = SHA-256(features, scale, dtype, sizes, digest of the weights, readout, scaling)
 *
 * It follows from what the file says, not from its path: a model that was moved is the same, a file that was replaced is another one.
 * Rows are taken in the units of the data and scaled once, before they are stored; outputs go back into the units of the data.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Esn } from '../../esn/index.js';
import { hashValue } from './hash-value.js';
import type { SessionNetwork } from './networks.js';

/** What opens a saved model again: JSON. */
export interface ModelDefinition {
  kind: 'Esn';
  /** The absolute path of its file. */
  file: string;
}

export function modelDefinition(file: string): ModelDefinition {
  return { kind: 'Esn', file: path.resolve(file) };
}

export function isModelDefinition(definition: { kind: string }): definition is ModelDefinition {
  return definition.kind === 'Esn';
}

/** What tells whether a file was written or replaced since. Errors: those of the system. */
export async function stampOf(file: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

/** Errors: DtesnError ERR_DTESN_FILE for a file that is no whole model of this version; those of the system. */
export async function openModel(name: string, definition: ModelDefinition): Promise<SessionNetwork> {
  const stamp = await stampOf(definition.file);
  const model = await Esn.load(definition.file);
  const { featured, network, readout } = model;
  const { scaling } = model.snapshot();
  return {
    ...{ name, network: featured, readout, definition, model, stamp, fingerprint: fingerprintOf(model, scaling) },
    inputScaling: scaling,
    // As in the Esn: a readout of more outputs than inputs has targets of other units.
    outputScaling: readout.outputs <= featured.inputs ? scaling : null,
    close: () => {
      model.close();
      network.close();
    },
  };
}

function fingerprintOf({ featured, network, readout, scale }: Esn, scaling: SessionNetwork['inputScaling']): string {
  const { dtype, inputs, stateSize, featureSize } = featured;
  const features = 'features' in featured && featured !== network ? featured.features : ['states'];
  const hash = createHash('sha256');
  hash.update(JSON.stringify(['Esn', features, scale, dtype, inputs, stateSize, featureSize, network.digest()]));
  hashValue(hash, [readout.weights.data, readout.bias, scaling?.offset ?? 0, scaling?.factor ?? 1]);
  return hash.digest('hex');
}
