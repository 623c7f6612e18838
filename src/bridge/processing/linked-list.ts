/**
 * A doubly linked list whose nodes are its items. What has left holds nothing: V8 keeps each earlier table of a Set, with what it
 * held, until it collects its whole heap.
 */

/** An item; it is in one list at a time. */
export interface Linked<Item> {
  before: Item | null;
  after: Item | null;
}

export class LinkedList<Item extends Linked<Item>> {
  #first: Item | null = null;
  #last: Item | null = null;

  /** The item that was added before all others; null where there is none. */
  get first(): Item | null {
    return this.#first;
  }

  add(item: Item): void {
    item.before = this.#last;
    item.after = null;
    if (this.#last === null) this.#first = item;
    else this.#last.after = item;
    this.#last = item;
  }

  remove(item: Item): void {
    const { before, after } = item;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    item.before = null;
    item.after = null;
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (let item = this.#first; item !== null; item = item.after) yield item;
  }
}
