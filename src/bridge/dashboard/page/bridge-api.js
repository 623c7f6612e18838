/**
 * Requests to the bridge that served this page.
 *
 * Errors: BridgeUnreachable where nothing answered in time or the answer was none of the bridge's; BridgeRefusal with `status`,
 * `code` and the sentence of the bridge for an error that it answered.
 */

const timeLimitMs = 5000;

export class BridgeUnreachable extends Error {
  name = 'BridgeUnreachable';
}

export class BridgeRefusal extends Error {
  name = 'BridgeRefusal';

  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const get = (path) => send(path, {});

/** The bridge answers with a cookie that reads, which no script can see. */
export function login(token) {
  return send('/v1/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
}

async function send(path, request) {
  let response;
  let body;
  try {
    const signal = AbortSignal.timeout(timeLimitMs);
    response = await fetch(path, { ...request, signal, credentials: 'same-origin', cache: 'no-store' });
    body = await response.json();
  } catch (cause) {
    throw new BridgeUnreachable(`The bridge did not answer ${path}`, { cause });
  }
  if (response.ok) return body;
  const { code = 'internal', message = `The bridge answered ${response.status}` } = body?.error ?? {};
  throw new BridgeRefusal(response.status, code, message);
}
