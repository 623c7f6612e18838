/**
 * Who may reach a TCP listener with a browser: `Host` names this bridge, and the page that sends is its own.
 *
 * A page of another site can make a browser send requests to a loopback address, and a name that an attacker rebinds to 127.0.0.1
 * makes them same-origin. So `Host` is a literal loopback address, `localhost`, the address of the listener or one of
 * `allowedHosts` (else 421), and a foreign `Origin` or `Sec-Fetch-Site: cross-site` is refused (403). Unix sockets, which no
 * browser opens, are exempt from the check of Host.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { BridgeError } from '../messages/index.js';

/** The name in a Host header or an authority, without its port and brackets, in lower case. */
function hostName(authority: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(authority);
  return (bracketed?.[1] ?? authority.replace(/:\d*$/, '')).toLowerCase();
}

/** Whether an address is a literal of the loopback interface; :: and 0.0.0.0 are not. */
export function isLoopback(address: string): boolean {
  const plain = address.toLowerCase().replace(/^::ffff:/, '');
  if (isIP(plain) === 4) return plain.startsWith('127.');
  const url = `http://[${plain}]/`;
  return isIP(plain) === 6 && URL.canParse(url) && new URL(url).hostname === '[::1]';
}

export interface Guard {
  /** Names that `Host` may have beside loopback addresses and the listener's own, in lower case. */
  allowedHosts: readonly string[];
}

/** The error of a request that is not taken, or null. `local`: it came over a Unix socket. */
export function guardError(incoming: IncomingMessage, local: boolean, { allowedHosts }: Guard): BridgeError | null {
  const { host = '', origin, 'sec-fetch-site': site } = incoming.headers;
  const name = hostName(host);
  if (!local) {
    const ours = incoming.socket.localAddress?.replace(/^::ffff:/, '').toLowerCase();
    const isKnown = name === 'localhost' || isLoopback(name) || name === ours || allowedHosts.includes(name);
    if (!isKnown) {
      return new BridgeError('wrong_host', 'This bridge does not answer for the name in Host: add it to allowedHosts');
    }
  }
  if (site?.toString().toLowerCase() === 'cross-site' || (origin !== undefined && !isSameOrigin(origin, host))) {
    return new BridgeError('foreign_origin', 'Requests from pages of other sites are refused');
  }
  return null;
}

function isSameOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}
