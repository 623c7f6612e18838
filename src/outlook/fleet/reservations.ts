/**
 * Requests that were given an engine and were not reported as sent yet: they count as queued there, so that requests that ask at
 * the same moment do not all get the same engine.
 *
 *     admit    reserves its tokens on the engine that it names
 *     pick     reserves too, in place of an admission of as many tokens: a caller may ask for both
 *     sent     ends the reservation of as many tokens on that engine, else the oldest there
 *
 * One that no request follows ends after EXPIRY seconds; at most MOST are kept. Times are seconds.
 */
const EXPIRY = 0.5;
const MOST = 4096;

interface Reservation {
  engine: string;
  promptTokens: number;
  by: 'admit' | 'pick';
  at: number;
}

export class Reservations {
  /** In the order of their times. */
  #kept: Reservation[] = [];

  add(reservation: Reservation): void {
    this.#expire(reservation.at);
    const { by, promptTokens } = reservation;
    if (by === 'pick') this.#end((one) => one.by === 'admit' && one.promptTokens === promptTokens);
    this.#kept.push(reservation);
    if (this.#kept.length > MOST) this.#kept.shift();
  }

  sent(engine: string, promptTokens: number, now: number): void {
    this.#expire(now);
    const isSame = (one: Reservation) => one.engine === engine && one.promptTokens === promptTokens;
    if (!this.#end(isSame)) this.#end((one) => one.engine === engine);
  }

  of(engine: string, now: number): { requests: number; promptTokens: number } {
    this.#expire(now);
    const own = { requests: 0, promptTokens: 0 };
    for (const one of this.#kept) {
      if (one.engine !== engine) continue;
      own.requests++;
      own.promptTokens += one.promptTokens;
    }
    return own;
  }

  forget(engine: string): void {
    this.#kept = this.#kept.filter((one) => one.engine !== engine);
  }

  #end(isOne: (one: Reservation) => boolean): boolean {
    const at = this.#kept.findIndex(isOne);
    if (at >= 0) this.#kept.splice(at, 1);
    return at >= 0;
  }

  #expire(now: number): void {
    let gone = 0;
    while (gone < this.#kept.length && now - this.#kept[gone]!.at > EXPIRY) gone++;
    if (gone > 0) this.#kept.splice(0, gone);
  }
}
