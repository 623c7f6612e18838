/** Counts the uses of what may be replaced, so that its last use can be awaited. */
export class Uses<T> {
  readonly #counts = new Map<T, number>();
  readonly #ended = new Map<T, (() => void)[]>();

  hold(one: T): void {
    this.#counts.set(one, (this.#counts.get(one) ?? 0) + 1);
  }

  free(one: T): void {
    const left = this.#counts.get(one)! - 1;
    if (left > 0) {
      this.#counts.set(one, left);
      return;
    }
    this.#counts.delete(one);
    const ended = this.#ended.get(one) ?? [];
    this.#ended.delete(one);
    for (const resolve of ended) resolve();
  }

  /** Resolves once it has no use. */
  async none(one: T): Promise<void> {
    if (!this.#counts.has(one)) return;
    await new Promise<void>((resolve) => {
      this.#ended.set(one, [...(this.#ended.get(one) ?? []), resolve]);
    });
  }
}
