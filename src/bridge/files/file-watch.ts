/**
 * Calls `look` whenever a file may have changed: when its folder changes, which is how Kubernetes swaps the symlink `..data`, and
 * every POLL_MS besides. Whether it did is for `look` to find out.
 */
import { type FSWatcher, watch } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../../abort/index.js';

export const POLL_MS = 5000;
const SETTLE_MS = 50;

export class FileWatch {
  readonly #folder: string;
  readonly #look: () => void;
  readonly #clock: Clock;
  #watcher: FSWatcher | null = null;
  #cancelPoll = () => {};
  #cancelSettle = () => {};

  constructor(file: string, look: () => void, clock: Clock) {
    this.#folder = path.dirname(file);
    this.#look = look;
    this.#clock = clock;
    this.#watch();
    this.#poll();
  }

  close(): void {
    this.#watcher?.close();
    this.#cancelPoll();
    this.#cancelSettle();
  }

  #watch(): void {
    try {
      const watcher = watch(this.#folder, { persistent: false }, () => {
        this.#cancelSettle();
        this.#cancelSettle = this.#clock.after(SETTLE_MS, () => this.#look());
      });
      watcher.on('error', () => {
        watcher.close();
        this.#watcher = null; // the poll goes on, and watches again
      });
      this.#watcher = watcher;
    } catch {
      // A folder that is gone cannot be watched: the poll finds the file.
    }
  }

  #poll(): void {
    this.#cancelPoll = this.#clock.after(POLL_MS, () => {
      if (this.#watcher === null) this.#watch();
      this.#look();
      this.#poll();
    });
  }
}
