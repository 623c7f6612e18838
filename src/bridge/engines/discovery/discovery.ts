/** Something that finds engines and tells when they change. */
export interface Discovery {
  /** Looks once; resolves when what was found has been taken. It goes on looking until it is closed. */
  start(): Promise<void>;
  close(): Promise<void>;
}
