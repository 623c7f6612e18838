/** The last configurations, at most MOST: each has an id, which is the version of the configuration while it is the newest. */
import { randomBytes } from 'node:crypto';
import { wallMs } from '../../abort/index.js';
import type { Resolved } from './layers.js';

const MOST = 50;

export type SnapshotOrigin = 'start' | 'file' | 'http' | 'rollback';

export interface Snapshot {
  /** Of the process and a number: unique to this process. */
  id: string;
  at: string;
  origin: SnapshotOrigin;
  description: string | undefined;
  /** Fields whose value or origin differs from the snapshot before. */
  changed: readonly string[];
  resolved: Resolved;
}

export class Snapshots {
  readonly #boot = randomBytes(4).toString('hex');
  #all: readonly Snapshot[] = [];
  #number = 0;

  /** The newest first. */
  get all(): readonly Snapshot[] {
    return this.#all;
  }

  add(made: Omit<Snapshot, 'id' | 'at'>): Snapshot {
    const id = `${this.#boot}-${++this.#number}`;
    const snapshot = { id, at: new Date(wallMs()).toISOString(), ...made };
    this.#all = [snapshot, ...this.#all].slice(0, MOST);
    return snapshot;
  }

  find(id: string): Snapshot | undefined {
    return this.#all.find((one) => one.id === id);
  }
}
