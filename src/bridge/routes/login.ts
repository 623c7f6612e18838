/**
 * The login of the dashboard: a token, posted once, becomes a cookie that is good for GET alone.
 *
 * The cookie is HttpOnly and SameSite=Strict and holds a random id, never the token; it ends with the process, after a day, or when
 * its token is no longer good.
 */
import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Caller, type Endpoint, endpoint, peerOf, type Tokens } from '../http/index.js';
import { doneSchema, loginSchema } from '../messages/index.js';

const cookieName = 'dtesn_session';
const ownCookie = new RegExp(`(?:^|;\\s*)${cookieName}=([\\w-]{43})(?:;|$)`);
const dayMs = 86_400_000;
const mostLogins = 1000;

export class Logins {
  readonly #tokens: Tokens;
  readonly #logins = new LRUCache<string, string>({ max: mostLogins, ttl: dayMs });

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  /** The caller whom a Cookie header stands for, with the scope `read`; undefined for none. */
  caller(cookie: string | undefined): Caller | undefined {
    const id = cookie === undefined ? undefined : ownCookie.exec(cookie)?.[1];
    const token = id === undefined ? undefined : this.#logins.get(id);
    if (token === undefined || this.#tokens.scopeOf(token) === null) return undefined;
    return { scope: 'read', id: id!, local: false };
  }

  /** The value of Set-Cookie for a token. Errors: those of Tokens.caller. */
  login(token: string, address: string, isEncrypted: boolean): string {
    this.#tokens.caller(token, address);
    const id = randomBytes(32).toString('base64url');
    this.#logins.set(id, token);
    return `${cookieName}=${id}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${dayMs / 1000}${isEncrypted ? '; Secure' : ''}`;
  }
}

export function loginEndpoint(logins: Logins): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/v1/login',
    scope: 'open',
    summary: 'Exchanges a token for a cookie that is good for GET alone: for the dashboard.',
    idempotent: false,
    retry: 'at any time',
    failure: 'open',
    body: loginSchema,
    answers: { 200: doneSchema },
    handle: ({ body, incoming }) => {
      const isEncrypted = 'encrypted' in incoming.socket;
      return { json: {}, headers: { 'set-cookie': logins.login(body.token, peerOf(incoming), isEncrypted) } };
    },
  });
}
