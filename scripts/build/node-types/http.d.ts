/** What the declarations of the package ask of Node's requests and responses, so that they compile without @types/node. */
export interface IncomingMessage {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: object;
  readonly rawHeaders: string[];
  readonly socket: object;
}

export interface ServerResponse {
  statusCode: number;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
}
