/**
 * Tokens: who a request comes from, and what it may do.
 *
 *     read    looks: context, engines, events, metrics         use     processes, picks, holds sessions
 *     admin   changes the configuration                        each scope includes those before it
 *
 * Without a file of tokens for reading or using, whoever reaches the listener may read and use, and a Unix socket may administrate
 * too: its permissions are the check. Administration over TCP always needs the admin token. Where tokens are configured a request
 * without one gets 401 and nothing else.
 *
 * A token has 32 bytes or more and stands in a file that its group cannot write; the file is read again when it changes, and
 * the token before is good for `tokenGraceMs`. An address with more than 10 wrong tokens within a minute gets 429.
 * Errors: TokenFileError at the start for a file that is missing, short, or writable by others.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import { type Clock, systemClock } from '../../abort/index.js';
import { brand } from '../../errors/index.js';
import { BridgeError } from '../messages/index.js';
import { type Caller, type Scope, scopes } from './endpoint.js';

const leastBytes = 32;
const pollMs = 1000;
const wrongPerMinute = 10;
const minuteMs = 60_000;
const knownAddresses = 10_000;

export interface TokenFiles {
  read?: string | undefined;
  use?: string | undefined;
  admin?: string | undefined;
}

export interface TokensOptions {
  files: TokenFiles;
  /** Milliseconds for which the token before is good after a rotation. Default 300,000. */
  graceMs?: number | undefined;
  clock?: Clock | undefined;
  /** Called when a changed file could not be taken; the tokens in use stay. */
  onBadFile?: ((error: Error) => void) | undefined;
}

type TokenScope = Caller['scope'];

interface TokenFile {
  scope: TokenScope;
  path: string;
  modifiedMs: number;
  digest: Buffer;
  /** The token before, and until when it is good. */
  before: { digest: Buffer; until: number } | null;
}

export class TokenFileError extends Error {
  override name = 'TokenFileError';
}

export const isTokenFileError = brand(TokenFileError, 'TokenFileError');

export class Tokens {
  readonly #files: TokenFile[];
  readonly #graceMs: number;
  readonly #clock: Clock;
  readonly #onBadFile: (error: Error) => void;
  readonly #wrong = new LRUCache<string, { count: number; until: number }>({ max: knownAddresses });
  #cancelPoll = () => {};

  constructor({ files, graceMs = 300_000, clock = systemClock, onBadFile = () => {} }: TokensOptions) {
    this.#graceMs = graceMs;
    this.#clock = clock;
    this.#onBadFile = onBadFile;
    this.#files = (['read', 'use', 'admin'] as const).flatMap((scope) => {
      const path = files[scope];
      return path === undefined ? [] : [{ scope, path, before: null, ...readToken(path) }];
    });
    this.#poll();
  }

  /** Whether reading and using need a token. */
  get required(): boolean {
    return this.#files.some(({ scope }) => scope !== 'admin');
  }

  /**
   * The caller of a request. `token`: what it presents, undefined for none; `address`: that of its peer, or 'unix'.
   * Errors: BridgeError unauthorised, too_many_attempts.
   */
  caller(token: string | undefined, address: string): Caller {
    const local = address === 'unix';
    // Where no token is configured, one that is presented means nothing.
    if (token === undefined || this.#files.length === 0) {
      if (this.required) throw new BridgeError('unauthorised', 'Expected a token: Authorization: Bearer TOKEN');
      return { scope: local ? 'admin' : 'use', id: address, local };
    }
    const scope = this.scopeOf(token);
    if (scope === null) throw this.#refusal(address);
    return { scope, id: digestOf(token).toString('base64url').slice(0, 16), local };
  }

  close(): void {
    this.#cancelPoll();
  }

  /** The widest scope of a token, or null; every comparison takes place, whatever the one before said. */
  scopeOf(token: string): TokenScope | null {
    const digest = digestOf(token);
    const now = this.#clock.now();
    let found: TokenScope | null = null;
    for (const file of this.#files) {
      const isNow = timingSafeEqual(digest, file.digest);
      const wasBefore = file.before !== null && timingSafeEqual(digest, file.before.digest) && now < file.before.until;
      if (isNow || wasBefore) found = file.scope;
    }
    return found;
  }

  /** The error of a wrong token. A right one passes from any address, so that wrong ones do not lock out other clients of the address. */
  #refusal(address: string): BridgeError {
    const now = this.#clock.now();
    const known = this.#wrong.get(address);
    const wrong = known === undefined || known.until <= now ? { count: 0, until: now + minuteMs } : known;
    wrong.count++;
    this.#wrong.set(address, wrong);
    if (wrong.count <= wrongPerMinute) {
      return new BridgeError('unauthorised', 'Expected a token of this bridge but received another one');
    }
    const retryAfterSeconds = (wrong.until - now) / 1000;
    return new BridgeError('too_many_attempts', 'Too many wrong tokens came from this address', { retryAfterSeconds });
  }

  #poll(): void {
    this.#cancelPoll = this.#clock.after(pollMs, () => {
      for (const file of this.#files) this.#refresh(file);
      this.#poll();
    });
  }

  #refresh(file: TokenFile): void {
    try {
      if (statSync(file.path).mtimeMs === file.modifiedMs) return;
      const next = readToken(file.path);
      if (!next.digest.equals(file.digest)) {
        file.before = { digest: file.digest, until: this.#clock.now() + this.#graceMs };
      }
      Object.assign(file, next);
    } catch (error) {
      this.#onBadFile(error as Error);
    }
  }
}

/** Whether a scope includes what another one may do. */
export function includes(held: TokenScope, needed: Scope): boolean {
  return scopes.indexOf(held) >= scopes.indexOf(needed);
}

/** The token that a request presents: its Authorization header; undefined without one, '' for another scheme. */
export function bearerOf({ headers: { authorization } }: IncomingMessage): string | undefined {
  if (authorization === undefined) return undefined;
  return /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function readToken(path: string): { digest: Buffer; modifiedMs: number } {
  const refuse = (why: string, cause?: unknown) =>
    new TokenFileError(`Expected a token file at ${path} but ${why}`, { cause });
  let text: string;
  let stat: { mode: number; mtimeMs: number };
  try {
    stat = statSync(path);
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw refuse(`it cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
  if ((stat.mode & 0o022) !== 0) throw refuse('its group or others may write it: chmod 600');
  if (Buffer.byteLength(text) < leastBytes) throw refuse(`its token has fewer than ${leastBytes} bytes`);
  if (/\s/.test(text)) throw refuse('it holds more than one token');
  return { digest: digestOf(text), modifiedMs: stat.mtimeMs };
}
