/**
 * What failed in the processor, as an error of the bridge: a wrong kind of input is malformed (400), one of the right kind
 * that cannot be processed is impossible (422), a closed processor is draining (503), no memory is shed (429). What has no
 * such code is internal (500).
 */
import { BridgeError, type BridgeErrorCode, isBridgeError } from './bridge-error.js';

const codes: Record<string, BridgeErrorCode> = {
  ERR_DTESN_SHAPE: 'impossible',
  ERR_DTESN_EMPTY: 'impossible',
  ERR_DTESN_TRANSFORMATION: 'impossible',
  ERR_DTESN_CLOSED: 'draining',
  ERR_DTESN_MEMORY: 'memory',
};

export function bridgeErrorOf(failure: unknown): BridgeError {
  if (isBridgeError(failure)) return failure;
  const { name, code, message } = (failure ?? {}) as { name?: unknown; code?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message : String(failure);
  return new BridgeError(codeOf(String(name), String(code)), text, { cause: failure });
}

function codeOf(name: string, code: string): BridgeErrorCode {
  if (code === 'ERR_DTESN_ARGUMENT') return name.startsWith('TypeError') ? 'malformed' : 'impossible';
  return codes[code] ?? 'internal';
}
