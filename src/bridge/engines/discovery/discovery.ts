/** Finds engines, and reports when the set of them changes. */
export interface Discovery {
  /** Looks once; resolves when what was found has been taken. It goes on looking until it is closed. */
  start(): Promise<void>;
  close(): Promise<void>;
}
