/** Where a bridge listens: `http://127.0.0.1:2250`, `https://host:port`, or `unix:/run/dtesn/bridge.sock`. */
import { argumentError } from '../../errors/index.js';

export interface BridgeAddress {
  /** Scheme, host and port. */
  origin: URL;
  /** A Unix domain socket in place of host and port. */
  socketPath: string | undefined;
  /** How messages name it. */
  label: string;
}

const expected = "the address of a bridge ('http://127.0.0.1:2250' or 'unix:/run/dtesn/bridge.sock')";

/** Errors: TypeError ERR_DTESN_ARGUMENT. */
export function parseAddress(address: unknown): BridgeAddress {
  if (typeof address !== 'string') throw argumentError(expected, 'address', address);
  if (address.startsWith('unix:')) {
    const socketPath = address.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    if (!socketPath.startsWith('/')) throw argumentError(expected, 'address', address);
    return { origin: new URL('http://localhost'), socketPath, label: `unix:${socketPath}` };
  }
  const origin = URL.canParse(address) ? new URL(address) : null;
  const isBare = origin?.pathname === '/' && origin.search === '' && origin.username === '' && origin.password === '';
  if (origin === null || !['http:', 'https:'].includes(origin.protocol) || !isBare) {
    throw argumentError(expected, 'address', address);
  }
  return { origin, socketPath: undefined, label: origin.origin };
}
