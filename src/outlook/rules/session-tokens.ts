/** Which engine served a session last, and how many tokens of the session its prefix cache may hold; bounded in number and age. */
const MOST_SESSIONS = 10_000;
const KEPT_SECONDS = 600;

interface Served {
  engine: unknown;
  tokens: number;
  atSeconds: number;
}

export class SessionTokens {
  /** The session that was served longest ago comes first. */
  readonly #sessions = new Map<string, Served>();

  /** Tokens of the session that the engine may still hold; 0 where another one served it last. */
  known(session: string, engine: unknown, now: number): number {
    const served = this.#sessions.get(session);
    return served !== undefined && served.engine === engine && now - served.atSeconds <= KEPT_SECONDS
      ? served.tokens
      : 0;
  }

  served(session: string, engine: unknown, tokens: number, atSeconds: number): void {
    this.#sessions.delete(session);
    this.#sessions.set(session, { engine, tokens, atSeconds });
    if (this.#sessions.size > MOST_SESSIONS) this.#sessions.delete(this.#sessions.keys().next().value!);
  }
}
