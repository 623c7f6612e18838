/**
 * Tickets: requests that callers say they sent to an engine, from dispatch to finish.
 *
 *     dispatch    opens a ticket; the same id again for the same engine opens no second one
 *     finish      closes it; again, it answers the same
 *     expiry      EXPIRES_MS after dispatch; at most `capacity` are open, the oldest is dropped
 *
 * What tickets say of hangs. An engine can hang with gauges at 0 (its front end did not receive the requests), and then only its
 * callers know of work. But a caller may err, crash or lie, so a ticket is evidence that an engine has work only while all of
 * these hold; the verdict itself is the monitor's and also needs scrapes in which nothing is counted for `hungAfterMs`.
 *
 *     it is open                 an expired or dropped ticket is none, and its caller loses its standing
 *     it has no first token      a request that is being answered shows in the gauges; where these are 0 it has ended, and the
 *                                report of it was lost
 *     its caller reports         some ticket of it, for this or another engine, within HEARD_MS: a caller that crashed goes quiet
 *     the engine never voided it  a scrape that counts work and shows none running or waiting says that requests sent more than
 *                                LAG_MS before it are not there (gauges lag up to 6 s)
 *     another caller agrees      tickets of two callers are open, or its caller has standing: a scrape counted work while a
 *                                ticket of it was open, so what it reports is known to reach this engine
 *
 * So a flood of invented tickets on an idle engine convicts it neither at once nor after they expire, and a lone gateway is
 * believed after its first served request. An engine whose gauges show work needs no tickets.
 * Times are milliseconds of the clock. An operation of a caller is constant in time; a scrape, the evidence
 * of a hang and the removal of an engine read all of its open tickets.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../abort/index.js';
import { BridgeError } from '../messages/index.js';

export const EXPIRES_MS = 600_000;
const HEARD_MS = 60_000;
export const LAG_MS = 6000;

export interface Ticket {
  readonly id: string;
  readonly engine: string;
  readonly caller: string;
  readonly promptTokens: number;
  readonly openedAt: number;
  firstTokenAt: number | null;
  closed: boolean;
}

interface Dispatched {
  engine: string;
  caller: string;
  /** Default: made here. */
  id?: string | undefined;
  promptTokens?: number | undefined;
}

/** What is known of the tickets of one engine. */
interface Account {
  readonly open: Set<Ticket>;
  /** In the order of their times; from `head` on those that may still be younger than LAG_MS. */
  lately: Ticket[];
  head: number;
  openLately: number;
  /** Tokens of the prompts of open tickets without a first token. */
  promptTokens: number;
  /** Callers that had an open ticket at some time since the last observation. */
  reporting: Set<string>;
  readonly standing: Set<string>;
  voidBefore: number;
}

export interface TicketBookOptions {
  clock: Clock;
  /** Open tickets kept, and as many closed ones. */
  capacity: number;
  /** Called with each ticket that ends without a finish. */
  lost: (ticket: Ticket, how: 'expired' | 'dropped') => void;
}

export class TicketBook {
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #lost: TicketBookOptions['lost'];
  readonly #open = new Map<string, Ticket>();
  readonly #closed = new Map<string, Ticket>();
  readonly #accounts = new Map<string, Account>();
  readonly #heard = new Map<string, number>();

  constructor({ clock, capacity, lost }: TicketBookOptions) {
    this.#clock = clock;
    this.#capacity = capacity;
    this.#lost = lost;
  }

  /** The ticket that this call opened, or the one that has its id already. */
  dispatch({ engine, caller, id = randomUUID(), promptTokens = 0 }: Dispatched): Ticket {
    this.sweep();
    const known = this.#open.get(id) ?? this.#closed.get(id);
    if (known !== undefined && known.engine !== engine) {
      throw new BridgeError('impossible', `Ticket ${id} is one of engine ${known.engine}; use another for ${engine}`);
    }
    this.#hear(caller);
    if (known !== undefined) return known;
    const openedAt = this.#clock.now();
    const ticket = { id, engine, caller, promptTokens, openedAt, firstTokenAt: null, closed: false };
    this.#open.set(id, ticket);
    const account = this.#account(engine);
    account.open.add(ticket);
    account.lately.push(ticket);
    account.openLately++;
    account.promptTokens += promptTokens;
    account.reporting.add(caller);
    if (this.#open.size > this.#capacity) this.#lose(first(this.#open)!, 'dropped');
    return ticket;
  }

  /** The ticket, and whether its first token was reported for the first time; null where it is unknown. */
  firstToken(id: string): { ticket: Ticket; isNew: boolean } | null {
    this.sweep();
    const ticket = this.#open.get(id) ?? this.#closed.get(id);
    if (ticket === undefined) return null;
    this.#hear(ticket.caller);
    const isNew = ticket.firstTokenAt === null && !ticket.closed;
    if (isNew) {
      ticket.firstTokenAt = this.#clock.now();
      this.#account(ticket.engine).promptTokens -= ticket.promptTokens;
    }
    return { ticket, isNew };
  }

  /** The ticket, and whether it was open; null where it is unknown. */
  finish(id: string): { ticket: Ticket; isNew: boolean } | null {
    this.sweep();
    const ticket = this.#open.get(id);
    if (ticket === undefined) {
      const closed = this.#closed.get(id);
      return closed === undefined ? null : { ticket: closed, isNew: false };
    }
    this.#hear(ticket.caller);
    this.#end(ticket);
    this.#closed.set(id, ticket);
    if (this.#closed.size > this.#capacity) this.#closed.delete(first(this.#closed)!.id);
    return { ticket, isNew: true };
  }

  /** Open tickets of an engine, and the tokens of their prompts while no first token came. */
  work(engine: string): { tickets: number; promptTokens: number } {
    this.sweep();
    const account = this.#accounts.get(engine);
    return { tickets: account?.open.size ?? 0, promptTokens: account?.promptTokens ?? 0 };
  }

  /** Open tickets of an engine that are so young that its gauges may not show them. */
  lately(engine: string): number {
    const account = this.#accounts.get(engine);
    if (account === undefined) return 0;
    const young = this.#clock.now() - LAG_MS;
    const { lately } = account;
    for (; account.head < lately.length && lately[account.head]!.openedAt <= young; account.head++) {
      if (!lately[account.head]!.closed) account.openLately--;
    }
    if (2 * account.head > lately.length) {
      account.lately = lately.slice(account.head);
      account.head = 0;
    }
    return account.openLately;
  }

  /** How many tickets say that the engine has work, by the rules above. */
  evidence(engine: string): number {
    this.sweep();
    const account = this.#accounts.get(engine);
    if (account === undefined) return 0;
    const heardSince = this.#clock.now() - HEARD_MS;
    const callers = new Set<string>();
    let tickets = 0;
    for (const { caller, openedAt, firstTokenAt } of account.open) {
      if (
        firstTokenAt !== null ||
        openedAt < account.voidBefore ||
        (this.#heard.get(caller) ?? Number.NEGATIVE_INFINITY) < heardSince
      )
        continue;
      callers.add(caller);
      tickets++;
    }
    const believed = callers.size > 1 || [...callers].some((caller) => account.standing.has(caller));
    return believed ? tickets : 0;
  }

  /** Takes what a scrape of the engine shows: whether work was counted since the one before, and whether none is there. */
  observed(engine: string, { moved, idle }: { moved: boolean; idle: boolean }): void {
    this.sweep();
    const account = this.#accounts.get(engine);
    if (account === undefined) return;
    this.lately(engine);
    if (moved) {
      for (const caller of account.reporting) account.standing.add(caller);
      if (idle) account.voidBefore = this.#clock.now() - LAG_MS;
    }
    account.reporting = new Set();
    for (const { caller, openedAt } of account.open) if (openedAt >= account.voidBefore) account.reporting.add(caller);
  }

  /** Forgets the tickets of an engine that is gone. */
  drop(engine: string): void {
    for (const ticket of this.#accounts.get(engine)?.open ?? []) {
      this.#open.delete(ticket.id);
      ticket.closed = true;
    }
    this.#accounts.delete(engine);
  }

  /** Ends what is too old. */
  sweep(): void {
    const expired = this.#clock.now() - EXPIRES_MS;
    for (const ticket of this.#open.values()) {
      if (ticket.openedAt > expired) break;
      this.#lose(ticket, 'expired');
    }
    for (const [caller, at] of this.#heard) {
      if (at > expired) break;
      this.#heard.delete(caller);
      for (const account of this.#accounts.values()) account.standing.delete(caller);
    }
  }

  /** Kept in the order of the times. */
  #hear(caller: string): void {
    this.#heard.delete(caller);
    this.#heard.set(caller, this.#clock.now());
  }

  #lose(ticket: Ticket, how: 'expired' | 'dropped'): void {
    this.#end(ticket);
    this.#account(ticket.engine).standing.delete(ticket.caller);
    this.#lost(ticket, how);
  }

  #end(ticket: Ticket): void {
    this.#open.delete(ticket.id);
    const account = this.#account(ticket.engine);
    account.open.delete(ticket);
    this.lately(ticket.engine);
    if (ticket.openedAt > this.#clock.now() - LAG_MS) account.openLately--;
    if (ticket.firstTokenAt === null) account.promptTokens -= ticket.promptTokens;
    ticket.closed = true;
  }

  #account(engine: string): Account {
    const known = this.#accounts.get(engine);
    if (known !== undefined) return known;
    const account: Account = {
      open: new Set(),
      lately: [],
      head: 0,
      openLately: 0,
      promptTokens: 0,
      reporting: new Set(),
      standing: new Set(),
      voidBefore: Number.NEGATIVE_INFINITY,
    };
    this.#accounts.set(engine, account);
    return account;
  }
}

function first<V>(map: Map<string, V>): V | undefined {
  for (const value of map.values()) return value;
  return undefined;
}
